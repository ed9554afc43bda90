//go:build ignore

// The line above keeps the go command from taking this file for a part of package floor, which embeds it.

// answer: an epoll loop that sends a ready response to each request.
//
//	answer PORT
//
// It plays two parts. Pinned to the server's core it is the floor of the rows that a server answers by itself: one read,
// one write and a share of epoll_wait per request is the least that any server can do. Pinned to the load generator's
// core it is the backend of the proxied rows, cheap enough not to be what limits them.
//
// What is sent depends on how the request's path ends, ".txt" left out:
//
//	1k 10k 100k 1m 2m  a body of that size, byte i being 'a' + i%26
//	slow               the 1 KB body, DELAY_MS after the request was read
//	return             "ok\n"
//	missing            404 "not found\n"
//	count              "REQUESTS ACCEPTS\n": what was counted since the start, this request left out
//
// and any other path gets the 1 KB body. A query "cc=VALUE" adds "Cache-Control: VALUE" to the head. Ready answers to
// requests that were read together leave in one write. Large ones are sent from a file in memory: sendfile(2) of pages, huge
// ones where they are to be had, costs less than write(2), which copies them. A request's body (Content-Length) is read and thrown away, then
// the answer is sent. A head must fit into INPUT bytes; a chunked request body is not understood.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { DELAY_MS = 300, EVENTS = 512, INPUT = 64 * 1024, HEAD_ROOM = 512, BATCH = 64, SENDFILE_MIN = 16 * 1024,
       HUGE = 2 << 20, COLLAPSE = 25 /* MADV_COLLAPSE, which older headers lack */ };

struct answer {
	char *bytes;
	size_t len, head_len;
	char *closing; // the head for a connection that ends with this answer
	size_t closing_len;
	int file; // has the same bytes when they are many
};

// A connection. Its unfinished output is sent before more of its input is looked at, so that one pointer holds all of it.
struct conn {
	int fd;
	const char *out; // what the kernel did not take yet
	size_t out_len;
	char *owned; // the allocation behind out, when it is not one of the ready answers
	char *rest;  // input that is not served yet: the beginning of a head, or what follows a delayed answer's request
	size_t rest_len;
	const struct answer *after_body; // sent when the last byte of a request's body was read
	size_t body_left;
	int close_next; // the request being served asked for the connection's end
	int close_sent; // nothing follows out
	int waiting;    // a delayed answer is due: freed when that is sent
	int gone;
};

struct delayed {
	struct conn *c;
	long long due_ms;
	struct delayed *next;
};

static int poller;
static struct answer answer_1k, answer_10k, answer_100k, answer_1m, answer_2m, answer_ok, answer_missing;
static const struct answer *large[] = {&answer_100k, &answer_1m, &answer_2m};
static long requests, accepts;
static struct delayed *delayed_head, **delayed_tail = &delayed_head;

// Ready answers of the requests that are being served, written together.
static struct iovec batch[2 * BATCH];
static int batch_len;

static void die(const char *what) {
	perror(what);
	exit(1);
}

static void *allocate(size_t n) {
	void *p = malloc(n);
	if (!p) die("malloc");
	return p;
}

static long long now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static size_t put_head(char *to, const char *status, size_t size, const char *connection, const char *extra) {
	return sprintf(to,
	               "HTTP/1.1 %s\r\nServer: floor\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
	               "Content-Type: text/plain\r\nContent-Length: %zu\r\nConnection: %s\r\n%s\r\n",
	               status, size, connection, extra);
}

// make_answer takes text for the body, or makes one of the given size.
static struct answer make_answer(const char *status, const char *text, size_t size, const char *extra) {
	struct answer a;
	if (text) size = strlen(text);
	a.bytes = allocate(HEAD_ROOM + strlen(extra) + size);
	a.head_len = put_head(a.bytes, status, size, "keep-alive", extra);
	a.len = a.head_len + size;
	for (size_t i = 0; i < size; i++) a.bytes[a.head_len + i] = text ? text[i] : (char)('a' + i % 26);
	a.closing = allocate(HEAD_ROOM + strlen(extra));
	a.closing_len = put_head(a.closing, status, size, "close", extra);
	return a;
}

// use_huge_pages asks for them: they cost less to send. Without them (Linux before 6.1) the file stays as it is.
static void use_huge_pages(int file, size_t size) {
	size_t whole = (size + HUGE - 1) / HUGE * HUGE;
	if (ftruncate(file, whole)) return;
	char *room = mmap(NULL, whole + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED) return;
	char *p = room + (-(size_t)room & (HUGE - 1));
	if (mmap(p, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == p) {
		for (size_t at = 0; at < whole; at += HUGE) p[at] = 0;
		madvise(p, whole, COLLAPSE);
	}
	munmap(room, whole + HUGE);
}

static struct answer make_large(size_t size) {
	struct answer a = make_answer("200 OK", NULL, size, "");
	a.file = memfd_create("answer", MFD_CLOEXEC);
	if (a.file < 0) die("memfd");
	use_huge_pages(a.file, a.len);
	if (write(a.file, a.bytes, a.len) != (ssize_t)a.len) die("memfd");
	return a;
}

static void watch(struct conn *c, unsigned events) {
	struct epoll_event e = {.events = events, .data.ptr = c};
	epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
}

static void drop(struct conn *c) {
	if (!c->gone) close(c->fd);
	c->gone = 1;
	if (c->waiting) return;
	free(c->owned);
	free(c->rest);
	free(c);
}

// What can be said of a connection after something was sent.
enum state { LOST = -1, BLOCKED = 0, OPEN = 1 }; // LOST: to be dropped; BLOCKED: writable() goes on

// transmit takes bytes that a file has as well from there.
static ssize_t transmit(int fd, const char *p, size_t n) {
	if (n >= SENDFILE_MIN)
		for (size_t i = 0; i < sizeof large / sizeof *large; i++)
			if (p >= large[i]->bytes && p < large[i]->bytes + large[i]->len) {
				off_t at = p - large[i]->bytes;
				return sendfile(fd, large[i]->file, &at, n);
			}
	return write(fd, p, n);
}

static enum state send_bytes(struct conn *c, const char *p, size_t n) {
	ssize_t sent = transmit(c->fd, p, n);
	if (sent == (ssize_t)n) return c->close_sent ? LOST : OPEN;
	if (sent < 0) {
		if (errno != EAGAIN) return LOST;
		sent = 0;
	}
	c->out = p + sent;
	c->out_len = n - sent;
	watch(c, EPOLLOUT);
	return BLOCKED;
}

static enum state send_owned(struct conn *c, char *p, size_t n) {
	enum state state = send_bytes(c, p, n);
	if (state == BLOCKED)
		c->owned = p;
	else
		free(p);
	return state;
}

// flush writes the batch. What the kernel does not take is pointed to when it is of one piece, else copied.
static enum state flush(struct conn *c) {
	int pieces = batch_len;
	batch_len = 0;
	if (pieces == 0) return OPEN;
	if (pieces == 1) return send_bytes(c, batch[0].iov_base, batch[0].iov_len);
	ssize_t sent = writev(c->fd, batch, pieces);
	if (sent < 0) {
		if (errno != EAGAIN) return LOST;
		sent = 0;
	}
	int first = 0;
	while (first < pieces && (size_t)sent >= batch[first].iov_len) sent -= batch[first++].iov_len;
	if (first == pieces) return c->close_sent ? LOST : OPEN;
	size_t left = 0;
	for (int i = first; i < pieces; i++) left += batch[i].iov_len;
	left -= sent;
	char *copy = allocate(left), *to = copy;
	for (int i = first; i < pieces; i++) {
		to = mempcpy(to, (char *)batch[i].iov_base + sent, batch[i].iov_len - sent);
		sent = 0;
	}
	c->out = c->owned = copy;
	c->out_len = left;
	watch(c, EPOLLOUT);
	return BLOCKED;
}

// add puts a ready answer into the batch.
static enum state add(struct conn *c, const struct answer *a) {
	if (c->close_next) {
		c->close_sent = 1;
		batch[batch_len++] = (struct iovec){a->closing, a->closing_len};
		batch[batch_len++] = (struct iovec){a->bytes + a->head_len, a->len - a->head_len};
		return OPEN;
	}
	batch[batch_len++] = (struct iovec){a->bytes, a->len};
	return batch_len < BATCH ? OPEN : flush(c);
}

// ready_answer looks at the path's end only.
static const struct answer *ready_answer(const char *path, size_t n) {
	if (n > 4 && !memcmp(path + n - 4, ".txt", 4)) n -= 4;
	if (n < 2) return &answer_1k;
	const char *end = path + n;
	switch (end[-1]) {
	case 'k':
		if (end[-2] != '0') return &answer_1k;
		return n > 2 && end[-3] == '0' ? &answer_100k : &answer_10k;
	case 'm':
		return end[-2] == '2' ? &answer_2m : &answer_1m;
	case 'n':
		return n >= 6 && !memcmp(end - 6, "return", 6) ? &answer_ok : &answer_1k;
	case 'g':
		return n >= 7 && !memcmp(end - 7, "missing", 7) ? &answer_missing : &answer_1k;
	}
	return &answer_1k;
}

static int ends_with(const char *path, size_t n, const char *end) {
	size_t m = strlen(end);
	return n >= m && memcmp(path + n - m, end, m) == 0;
}

static size_t content_length(const char *head, const char *end) {
	for (const char *line = head; (line = memchr(line, '\n', end - line)) && ++line < end;)
		if (end - line > 15 && !strncasecmp(line, "content-length:", 15)) return strtoul(line + 15, NULL, 10);
	return 0;
}

static enum state send_count(struct conn *c) {
	if (flush(c) != OPEN) return LOST; // no client of the count pipelines
	char body[64], *p = allocate(HEAD_ROOM);
	int len = sprintf(body, "%ld %ld\n", requests, accepts);
	size_t n = put_head(p, "200 OK", len, "keep-alive", "");
	memcpy(p + n, body, len);
	return send_owned(c, p, n + len);
}

static enum state send_later(struct conn *c) {
	struct delayed *d = allocate(sizeof *d);
	*d = (struct delayed){c, now_ms() + DELAY_MS, NULL};
	*delayed_tail = d;
	delayed_tail = &d->next;
	c->waiting = 1;
	return OPEN;
}

// respond serves the request whose head is head[0:end].
static enum state respond(struct conn *c, const char *head, const char *end) {
	const char *path = memchr(head, ' ', end - head);
	if (!path) return LOST;
	path++;
	const char *target_end = memchr(path, ' ', end - path);
	if (!target_end) return LOST;
	const char *query = memchr(path, '?', target_end - path);
	size_t n = (query ? query : target_end) - path;
	c->close_next = memmem(target_end, end - target_end, "onnection: close", 16) != NULL;

	if (ends_with(path, n, "count")) return send_count(c);
	requests++;
	if (ends_with(path, n, "slow")) return send_later(c);
	const struct answer *a = ready_answer(path, n);
	const char *cc = query ? memmem(query, target_end - query, "cc=", 3) : NULL;
	if (cc) {
		char extra[256];
		snprintf(extra, sizeof extra, "Cache-Control: %.*s\r\n", (int)(target_end - cc - 3), cc + 3);
		enum state state = flush(c);
		if (state != OPEN) return LOST; // no client of cc pipelines
		struct answer own = make_answer("200 OK", NULL, a->len - a->head_len, extra);
		free(own.closing);
		return send_owned(c, own.bytes, own.len);
	}
	if (*head == 'P' && (c->body_left = content_length(head, end))) {
		c->after_body = a;
		return OPEN;
	}
	return add(c, a);
}

// serve answers the complete requests in in[0:n] and keeps what follows them.
static void serve(struct conn *c, char *in, size_t n) {
	enum state state = OPEN;
	while (state == OPEN && n > 0 && !c->waiting && !c->close_sent) {
		if (c->body_left) {
			size_t body = n < c->body_left ? n : c->body_left;
			in += body;
			n -= body;
			c->body_left -= body;
			if (c->body_left) break;
			state = add(c, c->after_body);
			continue;
		}
		char *end = memmem(in, n, "\r\n\r\n", 4);
		if (!end) break;
		end += 4;
		state = respond(c, in, end);
		n -= end - in;
		in = end;
	}
	if (state == OPEN) state = flush(c);
	batch_len = 0;
	if (state == LOST) {
		drop(c);
		return;
	}
	char *rest = NULL;
	if (n > 0) {
		rest = allocate(n);
		memcpy(rest, in, n);
	}
	free(c->rest);
	c->rest = rest;
	c->rest_len = n;
}

// serve_rest serves what was kept while something before it was being sent.
static void serve_rest(struct conn *c) {
	if (!c->rest_len) return;
	char *in = c->rest;
	c->rest = NULL;
	serve(c, in, c->rest_len);
	free(in);
}

static void readable(struct conn *c) {
	static char in[INPUT];
	if (c->rest_len) memcpy(in, c->rest, c->rest_len);
	ssize_t n = read(c->fd, in + c->rest_len, sizeof in - c->rest_len);
	if (n <= 0) { // also when a head does not fit: nothing more can be read
		if (n == 0 || errno != EAGAIN) drop(c);
		return;
	}
	serve(c, in, c->rest_len + n);
}

static void writable(struct conn *c) {
	enum state state = send_bytes(c, c->out, c->out_len);
	if (state == LOST) {
		drop(c);
	} else if (state == OPEN) {
		free(c->owned);
		c->owned = NULL;
		c->out_len = 0;
		watch(c, EPOLLIN);
		serve_rest(c);
	}
}

static void accept_all(int listener) {
	int fd, one = 1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		accepts++;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct conn *c = calloc(1, sizeof *c);
		if (!c) die("calloc");
		c->fd = fd;
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
		if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) < 0) die("epoll_ctl");
	}
	if (errno == EMFILE || errno == ENFILE) die("accept");
}

// send_due sends the delayed answers whose time has come; returns epoll_wait's timeout until the next one.
static int send_due(void) {
	while (delayed_head) {
		struct delayed *d = delayed_head;
		long long left = d->due_ms - now_ms();
		if (left > 0) return (int)left;
		delayed_head = d->next;
		if (!delayed_head) delayed_tail = &delayed_head;
		struct conn *c = d->c;
		free(d);
		c->waiting = 0;
		if (c->gone) {
			drop(c);
			continue;
		}
		enum state state = add(c, &answer_1k);
		if (state == OPEN) state = flush(c);
		if (state == LOST)
			drop(c);
		else if (state == OPEN)
			serve_rest(c);
	}
	return -1;
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: answer PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	answer_1k = make_answer("200 OK", NULL, 1024, "");
	answer_10k = make_answer("200 OK", NULL, 10 * 1024, "");
	answer_100k = make_large(100 * 1024);
	answer_1m = make_large(1024 * 1024);
	answer_2m = make_large(2 * 1024 * 1024);
	answer_ok = make_answer("200 OK", "ok\n", 0, "");
	answer_missing = make_answer("404 Not Found", "not found\n", 0, "");

	int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
	if (listen(listener, 4096) < 0) die("listen");
	poller = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);

	for (;;) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(poller, events, EVENTS, send_due());
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			if (!c)
				accept_all(listener);
			else if (events[i].events & EPOLLIN)
				readable(c);
			else if (events[i].events & EPOLLOUT)
				writable(c);
			else
				drop(c);
		}
	}
}
