// forward: a bare epoll forwarder, the floor of the proxied rows.
//
//	forward PORT BACKEND_PORT
//
// Each request is written, as it was read, to a kept-alive backend connection (the most recently used idle one, or a
// new one) and the response comes back the same way: two reads, two writes and a share of epoll_wait per request, no
// header touched, nothing logged. It knows only what the bench sends: a request head arrives in one read and has no
// body, a response has a Content-Length and its head arrives in one read. Anything else ends the program with a message.
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
#include <unistd.h>

enum { EVENTS = 512, BUFFER = 256 * 1024, MAX_IDLE = 1024 };

// One socket of either side. While a request is under way client and backend are each other's peer.
struct side {
	int fd;
	int is_backend;
	struct side *peer;
	size_t left;   // backend: response bytes still to come; 0 before the head
	char *unsent;  // client: response bytes that its socket did not take; the backend is not read meanwhile
	size_t unsent_len, unsent_off;
	int response_done; // client: nothing follows unsent
	int gone;          // closed; freed after the events of this round
	struct side *next_gone;
};

static int poller;
static struct sockaddr_in backend_addr;
static struct side *idle[MAX_IDLE], *gone_list;
static int idle_count;
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

// drop closes a socket and, with it, the one that it is paired with: neither can be used again.
static void drop(struct side *s) {
	if (s->gone) return;
	s->gone = 1;
	close(s->fd);
	free(s->unsent);
	s->next_gone = gone_list;
	gone_list = s;
	for (int i = 0; i < idle_count; i++)
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

static void release(struct side *client, struct side *backend) {
	client->peer = backend->peer = NULL;
	client->response_done = 0;
	if (idle_count == MAX_IDLE) unexpected("more backend connections than there are clients");
	idle[idle_count++] = backend;
}

static void from_client(struct side *c) {
	ssize_t n = read(c->fd, buffer, BUFFER);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) drop(c);
		return;
	}
	if (c->peer) unexpected("a request before the last one was answered");
	if (n < 4 || memcmp(buffer + n - 4, "\r\n\r\n", 4)) unexpected("a request head in several reads");
	struct side *b = take_backend();
	c->peer = b;
	b->peer = c;
	if (write(b->fd, buffer, n) != n) drop(c);
}

static size_t response_length(size_t n) {
	buffer[n] = 0;
	char *end = strstr(buffer, "\r\n\r\n"), *field = strcasestr(buffer, "\r\nContent-Length:");
	if (!end || !field || field > end) unexpected("a response head without an end or a length");
	return (end + 4 - buffer) + strtoul(field + 17, NULL, 10);
}

static void from_backend(struct side *b) {
	ssize_t n = read(b->fd, buffer, BUFFER);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) drop(b);
		return;
	}
	struct side *c = b->peer;
	if (!c) unexpected("bytes on an idle backend connection");
	if (!b->left) b->left = response_length(n);
	if ((size_t)n > b->left) unexpected("bytes after the response");
	b->left -= n;

	ssize_t sent = write(c->fd, buffer, n);
	if (sent < 0) {
		if (errno != EAGAIN) {
			drop(c);
			return;
		}
		sent = 0;
	}
	if (sent < n) {
		c->unsent = malloc(n - sent);
		memcpy(c->unsent, buffer + sent, n - sent);
		c->unsent_len = n - sent;
		c->unsent_off = 0;
		c->response_done = b->left == 0;
		watch(c, EPOLLOUT);
		watch(b, 0);
	} else if (b->left == 0) {
		release(c, b);
	}
}

static void client_writable(struct side *c) {
	ssize_t sent = write(c->fd, c->unsent + c->unsent_off, c->unsent_len - c->unsent_off);
	if (sent < 0) {
		if (errno != EAGAIN) drop(c);
		return;
	}
	c->unsent_off += sent;
	if (c->unsent_off < c->unsent_len) return;
	free(c->unsent);
	c->unsent = NULL;
	watch(c, EPOLLIN);
	watch(c->peer, EPOLLIN);
	if (c->response_done) release(c, c->peer);
}

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: forward PORT BACKEND_PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
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
			} else if (s->gone) {
				continue; // closed by an earlier event of this round
			} else if (s->is_backend) {
				from_backend(s);
			} else if (events[i].events & EPOLLOUT) {
				client_writable(s);
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
