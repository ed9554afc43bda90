// answer: an epoll loop that sends a ready response to each request.
//
//	answer PORT
//
// It plays two parts. Pinned to the server's core it is the floor of the cached rows: one read, one write and a
// share of epoll_wait per request is the least that any server can do. Pinned to the load generator's core it is the
// backend of the proxied rows, cheap enough not to be what limits them.
//
// What is sent depends on how the request's path ends:
//
//	1k, 100k  a body of that size, byte i being 'a' + i%26
//	slow      the 1 KB body, DELAY_MS after the request was read
//	count     "REQUESTS ACCEPTS\n": what was counted since the start, this request left out
//
// A query "cc=VALUE" adds "Cache-Control: VALUE" to the head.
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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DELAY_MS = 300, EVENTS = 512, INPUT = 64 * 1024, HEAD_ROOM = 512 };

struct answer {
	char *bytes;
	size_t len;
};

// A connection. Its unfinished output is sent before more of its input is read, so that one pointer holds all of it.
struct conn {
	int fd;
	const char *out; // what the kernel did not take yet
	size_t out_len;
	char *owned; // the allocation behind out, when it is not one of the ready answers
	char *rest;  // the beginning of a request whose end has not arrived
	size_t rest_len;
	int waiting; // a delayed answer is due: freed when that is sent
	int gone;
};

struct delayed {
	struct conn *c;
	long long due_ms;
	struct delayed *next;
};

static int poller;
static struct answer answer_1k, answer_100k;
static long requests, accepts;
static struct delayed *delayed_head, **delayed_tail = &delayed_head;

static void die(const char *what) {
	perror(what);
	exit(1);
}

static long long now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static struct answer make_answer(size_t size, const char *extra) {
	struct answer a;
	a.bytes = malloc(HEAD_ROOM + strlen(extra) + size);
	if (!a.bytes) die("malloc");
	a.len = sprintf(a.bytes,
	                "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
	                "Content-Type: text/plain\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n%s\r\n",
	                size, extra);
	for (size_t i = 0; i < size; i++) a.bytes[a.len++] = 'a' + i % 26;
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

// send_bytes returns 1 when all went out, 0 when the rest waits for the socket, -1 when the connection is lost.
static int send_bytes(struct conn *c, const char *p, size_t n) {
	ssize_t sent = write(c->fd, p, n);
	if (sent == (ssize_t)n) return 1;
	if (sent < 0) {
		if (errno != EAGAIN) return -1;
		sent = 0;
	}
	c->out = p + sent;
	c->out_len = n - sent;
	watch(c, EPOLLOUT);
	return 0;
}

static int send_owned(struct conn *c, struct answer a) {
	int state = send_bytes(c, a.bytes, a.len);
	if (state == 0)
		c->owned = a.bytes;
	else
		free(a.bytes);
	return state;
}

static int ends_with(const char *path, size_t n, const char *end) {
	size_t m = strlen(end);
	return n >= m && memcmp(path + n - m, end, m) == 0;
}

// respond answers one request head; returns as send_bytes does.
static int respond(struct conn *c, const char *head, const char *end) {
	const char *path = memchr(head, ' ', end - head);
	if (!path) return -1;
	path++;
	const char *target_end = memchr(path, ' ', end - path);
	if (!target_end) return -1;
	const char *query = memchr(path, '?', target_end - path);
	size_t n = (query ? query : target_end) - path;

	if (ends_with(path, n, "count")) {
		char body[64];
		int len = sprintf(body, "%ld %ld\n", requests, accepts);
		struct answer a;
		a.bytes = malloc(HEAD_ROOM);
		a.len = sprintf(a.bytes, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, body);
		return send_owned(c, a);
	}
	requests++;
	if (ends_with(path, n, "slow")) {
		struct delayed *d = malloc(sizeof *d);
		*d = (struct delayed){c, now_ms() + DELAY_MS, NULL};
		*delayed_tail = d;
		delayed_tail = &d->next;
		c->waiting++;
		return 1;
	}
	int big = ends_with(path, n, "100k");
	const char *cc = query ? memmem(query, target_end - query, "cc=", 3) : NULL;
	if (cc) {
		char extra[256];
		snprintf(extra, sizeof extra, "Cache-Control: %.*s\r\n", (int)(target_end - cc - 3), cc + 3);
		return send_owned(c, make_answer(big ? 100 * 1024 : 1024, extra));
	}
	struct answer *a = big ? &answer_100k : &answer_1k;
	return send_bytes(c, a->bytes, a->len);
}

// serve answers the complete requests in in[0:n] and keeps what follows them.
static void serve(struct conn *c, char *in, size_t n) {
	char *end;
	int state = 1;
	while (state == 1 && n > 0 && (end = memmem(in, n, "\r\n\r\n", 4))) {
		end += 4;
		state = respond(c, in, end);
		n -= end - in;
		in = end;
	}
	if (state < 0) {
		drop(c);
		return;
	}
	char *rest = NULL;
	if (n > 0) {
		rest = malloc(n);
		memcpy(rest, in, n);
	}
	free(c->rest);
	c->rest = rest;
	c->rest_len = n;
}

static void readable(struct conn *c) {
	static char in[INPUT];
	if (c->rest_len) memcpy(in, c->rest, c->rest_len);
	ssize_t n = read(c->fd, in + c->rest_len, sizeof in - c->rest_len);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) drop(c);
		return;
	}
	serve(c, in, c->rest_len + n);
}

static void writable(struct conn *c) {
	int state = send_bytes(c, c->out, c->out_len);
	if (state < 0) {
		drop(c);
	} else if (state == 1) {
		free(c->owned);
		c->owned = NULL;
		c->out_len = 0;
		watch(c, EPOLLIN);
		if (c->rest_len) {
			char *in = c->rest;
			c->rest = NULL;
			serve(c, in, c->rest_len);
			free(in);
		}
	}
}

static void accept_all(int listener) {
	int fd, one = 1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		accepts++;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct conn *c = calloc(1, sizeof *c);
		c->fd = fd;
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
		if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) < 0) die("epoll_ctl");
	}
}

// send_due sends the delayed answers whose time has come; returns epoll_wait's timeout until the next one.
static int send_due(void) {
	while (delayed_head) {
		struct delayed *d = delayed_head;
		long long left = d->due_ms - now_ms();
		if (left > 0) return (int)left;
		delayed_head = d->next;
		if (!delayed_head) delayed_tail = &delayed_head;
		d->c->waiting--;
		if (d->c->gone || send_bytes(d->c, answer_1k.bytes, answer_1k.len) < 0) drop(d->c);
		free(d);
	}
	return -1;
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: answer PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	answer_1k = make_answer(1024, "");
	answer_100k = make_answer(100 * 1024, "");

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
