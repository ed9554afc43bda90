// Connections: how they are opened, closed and opened again, and what is to be written on them.

enum {
	SLOW_BUFFER = 4096, // SO_RCVBUF of a slow reader: what it does not read stays with the server
	RETRY_MS = 10,      // until a lost connection is opened again
};

// A request that is under way.
struct sent {
	long long due_ns;
	struct page *page;
};

// A connection. fd is -1 when it is closed: for good, until its retry, or (with -N) until the next request.
struct conn {
	int fd, index;
	int slow, retrying, opened;
	int queued;          // entries in the ring of free ones
	int under_way;       // requests
	int first;           // the oldest of them in sent, which is a ring of depth entries
	struct sent *sent;
	struct answer answer; // to the oldest
	char *out;            // what the kernel did not take yet
	size_t out_len;
	long long read_ns;    // of a slow one: when it read last
	double allowance;     // and the bytes that it may read
};

static int poller, live;
static char first_error[200];
static long errors, reopened;
static long long window_from, window_end; // latencies are of requests due in it (-R), or of answers that came in it
static long due_in_window;                // -R: requests of the window that were sent and did not fail

static struct conn **ring; // free connections, in the order in which they became free
static size_t ring_size, ring_first, ring_len;
static struct conn **lost; // to be opened again at retry_ns
static int lost_len;
static long long retry_ns;

static void die(const char *what) {
	perror(what);
	exit(1);
}

static long long now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note_error(const char *what) {
	if (*first_error) return;
	snprintf(first_error, sizeof first_error, "%s", what);
	for (char *p = first_error; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\') *p = '.'; // goes into JSON as it is
}

static void watch(struct conn *c, int op, unsigned events) {
	struct epoll_event e = {.events = events, .data.ptr = c};
	if (!c->slow && epoll_ctl(poller, op, c->fd, &e) < 0) die("epoll_ctl");
}

// open_connection begins a connection; with blocking set it waits until it stands.
static int open_connection(struct conn *c, int blocking) {
	int one = 1, small = SLOW_BUFFER;
	struct linger reset = {1, 0};
	c->fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0);
	if (c->fd < 0) die("socket");
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (!new_connections || c->slow) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	if (c->slow) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + c->index % sources)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind");
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
		if (blocking) die("connect");
		return -1;
	}
	if (blocking) fcntl(c->fd, F_SETFL, O_NONBLOCK);
	watch(c, EPOLL_CTL_ADD, EPOLLIN);
	if (c->opened++ && !new_connections) reopened++;
	return 0;
}

static int usable(const struct conn *c) { return new_connections ? c->fd < 0 && !c->retrying : c->fd >= 0; }

// set_free puts a connection into the ring once for each further request that it may take.
static void set_free(struct conn *c) {
	while (usable(c) && c->queued + c->under_way < depth) {
		ring[(ring_first + ring_len++) % ring_size] = c;
		c->queued++;
	}
}

static void close_connection(struct conn *c) {
	if (c->fd >= 0) close(c->fd);
	c->fd = -1;
	c->under_way = 0;
	free(c->out);
	c->out = NULL;
	c->out_len = 0;
	answer_reset(&c->answer);
}

static int is_in_window(long long due) { return due >= window_from && due < window_end; }

static void retry_later(struct conn *c) {
	if (!lost_len) retry_ns = now_ns() + RETRY_MS * 1000000LL;
	c->retrying = 1;
	lost[lost_len++] = c;
}

static void fail(struct conn *c, const char *what) {
	errors += c->under_way > 1 ? c->under_way : 1;
	for (int i = 0; i < c->under_way; i++)
		if (is_in_window(c->sent[(c->first + i) % depth].due_ns)) due_in_window--;
	note_error(what);
	close_connection(c);
	if (!c->slow && (reopen || new_connections))
		retry_later(c);
	else
		live--;
}

static void flush(struct conn *c) {
	if (c->out_len) { // the kernel is not yet ready for more
		c->out = realloc(c->out, c->out_len + out_len);
		memcpy(c->out + c->out_len, out, out_len);
		c->out_len += out_len;
	} else {
		ssize_t n = write(c->fd, out, out_len);
		if (n < 0 && errno != EAGAIN) {
			out_len = 0;
			fail(c, strerror(errno));
			return;
		}
		if (n < 0) n = 0;
		if ((size_t)n < out_len) {
			c->out_len = out_len - n;
			c->out = malloc(c->out_len);
			memcpy(c->out, out + n, c->out_len);
			watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
		}
	}
	out_len = 0;
}

static void writable(struct conn *c) {
	if (!c->out_len) return;
	ssize_t n = write(c->fd, c->out, c->out_len);
	if (n < 0) {
		if (errno != EAGAIN) fail(c, strerror(errno));
		return;
	}
	c->out_len -= n;
	memmove(c->out, c->out + n, c->out_len);
	if (c->out_len) return;
	free(c->out);
	c->out = NULL;
	watch(c, EPOLL_CTL_MOD, EPOLLIN);
}
