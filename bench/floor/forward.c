//go:build ignore

// The line above keeps the go command from taking this file for a part of package floor, which embeds it.

// forward: a bare epoll forwarder, the floor of the proxied rows.
//
//	forward PORT BACKEND_PORT
//
// Each request is written, as it was read, to a kept-alive backend connection (the most recently used idle one, or a
// new one) and the response comes back the same way: two reads, two writes and a share of epoll_wait per request. What is
// left of a large response after its head goes through a pipe (splice(2)), which costs less than copying it twice. Nothing
// is logged and one header touched: a client's "Connection: close" is not for the backend, and the response then says so
// instead of the backend's "keep-alive". Bodies may come in any number of reads. It knows only what the bench sends: a
// head of either direction arrives in one read, bodies have a Content-Length, a client waits for its answer before it
// asks again. Anything else ends the program with a message.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, BUFFER = 256 * 1024, MAX_IDLE = 16 * 1024, HEAD_READ = 16 * 1024, SPLICE_MIN = 16 * 1024, PIPE = 256 * 1024 };

// A pipe with bytes of a response. Empty ones are kept.
struct pipe {
	int in, out;
	size_t len;
	struct pipe *next;
};

// One socket of either side. While a request is under way client and backend are each other's peer.
struct side {
	int fd;
	int is_backend;
	struct side *peer;
	size_t left;  // message bytes still to come from it: of a client's request, of a backend's response; 0 before the head
	char *unsent; // bytes that its socket did not take; its peer is not read meanwhile
	size_t unsent_len, unsent_off;
	struct pipe *pipe; // the same, in a pipe; behind unsent
	int answered; // client: its response was read whole, nothing follows unsent
	int closing;  // client: to be closed after its response
	int gone;     // closed; freed after the events of this round
	struct side *next_gone;
};

static int poller;
static struct sockaddr_in backend_addr;
static struct side *idle[MAX_IDLE], *gone_list;
static int idle_count;
static struct pipe *free_pipes;
static char buffer[BUFFER + 1];

static void die(const char *what) {
	perror(what);
	exit(1);
}

static void unexpected(const char *what) {
	fprintf(stderr, "forward: %s: not what the bench sends\n", what);
	exit(1);
}

static struct side *add_side(int fd, int is_backend) {
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	struct side *s = calloc(1, sizeof *s);
	if (!s) die("calloc");
	s->fd = fd;
	s->is_backend = is_backend;
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) < 0) die("epoll_ctl");
	return s;
}

static void watch(struct side *s, unsigned events) {
	struct epoll_event e = {.events = events, .data.ptr = s};
	epoll_ctl(poller, EPOLL_CTL_MOD, s->fd, &e);
}

static struct pipe *take_pipe(void) {
	struct pipe *p = free_pipes;
	if (p) {
		free_pipes = p->next;
		return p;
	}
	int ends[2];
	p = malloc(sizeof *p);
	if (!p || pipe2(ends, O_NONBLOCK) < 0) die("pipe");
	fcntl(ends[0], F_SETPIPE_SZ, PIPE); // as large as is allowed
	*p = (struct pipe){.in = ends[1], .out = ends[0]};
	return p;
}

static void keep_pipe(struct pipe *p) {
	p->next = free_pipes;
	free_pipes = p;
}

// drop closes a socket and, with it, the one that it is paired with: neither can be used again.
static void drop(struct side *s) {
	if (s->gone) return;
	s->gone = 1;
	close(s->fd);
	free(s->unsent);
	if (s->pipe) {
		close(s->pipe->in);
		close(s->pipe->out);
		free(s->pipe);
	}
	s->next_gone = gone_list;
	gone_list = s;
	for (int i = 0; s->is_backend && !s->peer && i < idle_count; i++)
		if (idle[i] == s) idle[i] = idle[--idle_count];
	if (s->peer) drop(s->peer);
}

static struct side *take_backend(void) {
	if (idle_count) return idle[--idle_count];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0) die("socket");
	if (connect(fd, (struct sockaddr *)&backend_addr, sizeof backend_addr) < 0) die("connect to the backend");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return add_side(fd, 1);
}

// release ends a request: the backend connection is free again.
static void release(struct side *client) {
	struct side *backend = client->peer;
	client->peer = backend->peer = NULL;
	client->answered = 0;
	if (idle_count == MAX_IDLE) unexpected("more backend connections than there are clients");
	idle[idle_count++] = backend;
	if (client->closing) drop(client);
}

// wait_for makes a side's peer wait until the side takes bytes again.
static void wait_for(struct side *s) {
	watch(s, EPOLLOUT);
	watch(s->peer, 0);
}

// pass_on writes buffer[0:n] to a side; returns 0 when it was lost or has to wait, and its peer with it.
static int pass_on(struct side *to, size_t n, int more) {
	ssize_t sent = send(to->fd, buffer, n, more ? MSG_MORE : 0);
	if (sent == (ssize_t)n) return 1;
	if (sent < 0) {
		if (errno != EAGAIN) {
			drop(to);
			return 0;
		}
		sent = 0;
	}
	to->unsent_len = n - sent;
	to->unsent_off = 0;
	to->unsent = malloc(to->unsent_len);
	if (!to->unsent) die("malloc");
	memcpy(to->unsent, buffer + sent, to->unsent_len);
	wait_for(to);
	return 0;
}

// drain empties a client's pipe into its socket; returns as pass_on does, but leaves the waiting to its caller.
static int drain(struct side *c) {
	struct pipe *p = c->pipe;
	while (p->len) {
		ssize_t n = splice(p->out, NULL, c->fd, NULL, p->len, SPLICE_F_NONBLOCK | (c->answered ? 0 : SPLICE_F_MORE));
		if (n < 0) {
			if (errno != EAGAIN) drop(c);
			return 0;
		}
		p->len -= n;
	}
	c->pipe = NULL;
	keep_pipe(p);
	return 1;
}

// splice_on moves the rest of a response from its backend to its client until one of them has to wait.
static void splice_on(struct side *b) {
	struct side *c = b->peer;
	while (b->left) {
		struct pipe *p = take_pipe();
		ssize_t n = splice(b->fd, NULL, p->in, NULL, b->left, SPLICE_F_NONBLOCK);
		if (n <= 0) {
			keep_pipe(p);
			if (n == 0 || errno != EAGAIN) drop(b);
			return;
		}
		p->len = n;
		b->left -= n;
		c->answered = b->left == 0;
		c->pipe = p;
		if (!drain(c)) {
			if (!c->gone) wait_for(c);
			return;
		}
	}
	release(c);
}

// message_length returns the length of the message in buffer, head and body, whose head ends at end.
static size_t message_length(const char *end) {
	const char *field = strcasestr(buffer, "\r\nContent-Length:");
	if (!field || field > end) unexpected("a head without a Content-Length");
	return (end - buffer) + strtoul(field + 17, NULL, 10);
}

// head_end returns the end of the head that begins in buffer[0:n]; afterwards the buffer is a string.
static char *head_end(size_t n) {
	buffer[n] = 0;
	char *end = memmem(buffer, n, "\r\n\r\n", 4);
	if (!end) unexpected("a head in several reads");
	return end + 4;
}

static void from_client(struct side *c) {
	ssize_t n = read(c->fd, buffer, BUFFER);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) drop(c);
		return;
	}
	if (!c->left) {
		if (c->peer) unexpected("a request before the last one was answered");
		char *end = head_end(n), *close_field = memmem(buffer, end - buffer, "\r\nConnection: close", 19);
		if (close_field) {
			close_field[11] = 'X'; // "ConnectioX": a header that the backend does not know
			c->closing = 1;
		}
		c->left = *buffer == 'P' ? message_length(end) : (size_t)(end - buffer);
		struct side *b = take_backend();
		c->peer = b;
		b->peer = c;
	}
	if ((size_t)n > c->left) unexpected("a request before the last one was answered");
	c->left -= n;
	pass_on(c->peer, n, 0);
}

static void from_backend(struct side *b) {
	if (b->left >= SPLICE_MIN) {
		splice_on(b);
		return;
	}
	ssize_t n = read(b->fd, buffer, b->left ? BUFFER : HEAD_READ);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) drop(b);
		return;
	}
	struct side *c = b->peer;
	if (!c) unexpected("bytes on an idle backend connection");
	if (!b->left) {
		char *end = head_end(n);
		b->left = message_length(end);
		if (c->closing) {
			char *field = memmem(buffer, end - buffer, "\r\nConnection: keep-alive", 24);
			if (!field) unexpected("a response that does not keep the connection");
			memcpy(field + 14, "     close", 10);
		}
	}
	if ((size_t)n > b->left) unexpected("bytes after the response");
	b->left -= n;
	c->answered = b->left == 0;
	if (!pass_on(c, n, b->left >= SPLICE_MIN)) return;
	if (c->answered)
		release(c);
	else if (n == HEAD_READ) // there is more
		from_backend(b);
}

// send_unsent returns 0 when bytes are left or the side was lost.
static int send_unsent(struct side *s) {
	ssize_t sent = write(s->fd, s->unsent + s->unsent_off, s->unsent_len - s->unsent_off);
	if (sent < 0) {
		if (errno != EAGAIN) drop(s);
		return 0;
	}
	s->unsent_off += sent;
	if (s->unsent_off < s->unsent_len) return 0;
	free(s->unsent);
	s->unsent = NULL;
	return 1;
}

static void writable(struct side *s) {
	if (s->unsent && !send_unsent(s)) return;
	if (s->pipe && !drain(s)) return;
	watch(s, EPOLLIN);
	watch(s->peer, EPOLLIN);
	if (s->answered) release(s);
}

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: forward PORT BACKEND_PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	backend_addr = at;
	backend_addr.sin_port = htons(atoi(argv[2]));
	int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
	if (listen(listener, 4096) < 0) die("listen");
	poller = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);

	for (;;) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(poller, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			struct side *s = events[i].data.ptr;
			if (!s) {
				int fd;
				while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) add_side(fd, 0);
				if (errno == EMFILE || errno == ENFILE) die("accept");
			} else if (s->gone) {
				continue; // closed by an earlier event of this round
			} else if (s->unsent || s->pipe) {
				writable(s);
			} else if (s->is_backend) {
				from_backend(s);
			} else {
				from_client(s);
			}
		}
		while (gone_list) {
			struct side *s = gone_list;
			gone_list = s->next_gone;
			free(s);
		}
	}
}
