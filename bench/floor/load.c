// load: a load generator for thousands of connections, which checks every answer.
//
//	load [-c connections] [-p port] [-u path] [-b body length] [-s source addresses]
//	     [-w warm-up ms -d window ms | -r requests in all] [-t limit ms] [-k]
//
// The connections are opened first, spread over the addresses 127.0.0.2 and following. Then:
//
//	prints "connected", reads a line ("go") from standard input
//	sends one request on each connection, and on each answer the next one
//	timed (-d): after the warm-up prints "start", after the window "end"; else goes on until -r requests are answered
//	prints one line of JSON: requests, errors, first error, seconds, latency in ms (all of the window or the run)
//	with -k: holds the connections until standard input ends, then prints {"closed": how many the server had closed}
//
// An answer is right when its status is 200, its Content-Length and its body have the expected length and the body begins
// and ends with the expected letters. Connections are closed by a reset, so that no port lingers in TIME_WAIT.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 512,
	BUFFER = 256 * 1024,
	CONNECT_BATCH = 128,         // then a pause, so that a listen queue of nginx's 511 does not overflow
	CONNECT_PAUSE_US = 3000,
	LATENCY_STEP_US = 20,
	LATENCY_STEPS = 1000 * 1000, // 20 s
};

struct conn {
	int fd;
	long long sent_ns;
	size_t left; // body bytes still to come
	char *head;  // the beginning of a head whose end has not arrived
	size_t head_len;
	int busy; // an answer is due
};

static int poller, live, connections = 64, port = 8080, sources = 8, hold;
static const char *path = "/";
static long body_len = 1024, total_requests;
static long long warm_ms, window_ms, limit_ms = 60000;

static struct conn *conns;
static char request[1024], buffer[BUFFER + 1], first_error[160];
static int request_len;
static long sent, answered, errors;
static unsigned *latency;

static void die(const char *what) {
	perror(what);
	exit(1);
}

static long long now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void say(const char *line) {
	puts(line);
	fflush(stdout);
}

static void fail(struct conn *c, const char *what) {
	if (!errors++) {
		snprintf(first_error, sizeof first_error, "%s", what);
		for (char *p = first_error; *p; p++)
			if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\') *p = '.'; // goes into JSON as it is
	}
	close(c->fd);
	c->fd = -1;
	c->busy = 0;
	live--;
}

static void open_connection(struct conn *c, int i) {
	int one = 1;
	struct linger reset = {1, 0};
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0) die("socket");
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i % sources)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind");
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e) < 0) die("epoll_ctl");
}

static void send_request(struct conn *c) {
	if (total_requests && sent == total_requests) return;
	sent++;
	c->busy = 1;
	c->sent_ns = now_ns();
	if (write(c->fd, request, request_len) != request_len) fail(c, "write failed");
}

static void answer_complete(struct conn *c) {
	long us = (now_ns() - c->sent_ns) / 1000 / LATENCY_STEP_US;
	latency[us < LATENCY_STEPS ? us : LATENCY_STEPS - 1]++;
	answered++;
	c->busy = 0;
	send_request(c);
}

// head_complete checks a head and what came with it; p[n] is 0 and end is behind the empty line.
static void head_complete(struct conn *c, char *p, size_t n, char *end) {
	if (strncmp(p, "HTTP/1.1 200 ", 13)) {
		char what[64];
		snprintf(what, sizeof what, "not a 200: %.40s", p);
		fail(c, what);
		return;
	}
	char *field = strcasestr(p, "\r\nContent-Length:");
	if (!field || field > end || strtol(field + 17, NULL, 10) != body_len) {
		fail(c, "no Content-Length, or a wrong one");
		return;
	}
	size_t have = n - (end - p);
	if (have > (size_t)body_len) {
		fail(c, "bytes after the answer");
		return;
	}
	if (have > 0 && *end != 'a') {
		fail(c, "the body begins with another letter");
		return;
	}
	c->left = body_len - have;
	if (c->left == 0) {
		if (p[n - 1] != 'a' + (body_len - 1) % 26)
			fail(c, "the body ends with another letter");
		else
			answer_complete(c);
	}
}

static void readable(struct conn *c) {
	size_t had = c->head_len;
	if (had) memcpy(buffer, c->head, had);
	ssize_t n = read(c->fd, buffer + had, BUFFER - had);
	if (n <= 0) {
		if (n < 0 && errno == EAGAIN) return;
		fail(c, n == 0 ? "closed by the server" : strerror(errno));
		return;
	}
	if (!c->busy) {
		fail(c, "bytes that were not asked for");
		return;
	}
	if (c->left) {
		if ((size_t)n > c->left) {
			fail(c, "bytes after the answer");
			return;
		}
		c->left -= n;
		if (c->left) return;
		if (buffer[n - 1] != 'a' + (body_len - 1) % 26)
			fail(c, "the body ends with another letter");
		else
			answer_complete(c);
		return;
	}
	n += had;
	buffer[n] = 0;
	free(c->head);
	c->head = NULL;
	c->head_len = 0;
	char *end = memmem(buffer, n, "\r\n\r\n", 4);
	if (end) {
		head_complete(c, buffer, n, end + 4);
		return;
	}
	c->head = malloc(n);
	memcpy(c->head, buffer, n);
	c->head_len = n;
}

static double percentile(double share) {
	double want = answered * share;
	long seen = 0;
	for (long i = 0; i < LATENCY_STEPS; i++) {
		seen += latency[i];
		if (latency[i] && seen >= want) return (i + 1) * LATENCY_STEP_US / 1000.0;
	}
	return 0;
}

// serve_events waits for events once, at most until the given time, and serves them.
static void serve_events(long long until_ns) {
	struct epoll_event events[EVENTS];
	long long left = (until_ns - now_ns() + 999999) / 1000000;
	int n = epoll_wait(poller, events, EVENTS, left > 0 ? (int)left : 0);
	for (int i = 0; i < n; i++) readable(events[i].data.ptr);
}

static void reset_counts(void) {
	memset(latency, 0, LATENCY_STEPS * sizeof *latency);
	answered = 0;
}

static int closed_by_server(void) {
	int closed = 0;
	char c;
	for (int i = 0; i < connections; i++) {
		ssize_t n = conns[i].fd < 0 ? 0 : recv(conns[i].fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN)) closed++;
	}
	return closed;
}

// wait_for_line returns 0 when standard input ended instead.
static int wait_for_line(void) {
	char line[16];
	return fgets(line, sizeof line, stdin) != NULL;
}

int main(int argc, char **argv) {
	int o;
	while ((o = getopt(argc, argv, "c:p:u:b:s:w:d:r:t:k")) != -1) switch (o) {
		case 'c': connections = atoi(optarg); break;
		case 'p': port = atoi(optarg); break;
		case 'u': path = optarg; break;
		case 'b': body_len = atol(optarg); break;
		case 's': sources = atoi(optarg); break;
		case 'w': warm_ms = atol(optarg); break;
		case 'd': window_ms = atol(optarg); break;
		case 'r': total_requests = atol(optarg); break;
		case 't': limit_ms = atol(optarg); break;
		case 'k': hold = 1; break;
		default: return 2;
		}
	if (!total_requests == !window_ms) {
		fprintf(stderr, "load: one of -d and -r is needed\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	request_len = snprintf(request, sizeof request,
	                       "GET %s HTTP/1.1\r\nHost: example.com\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n", path);
	conns = calloc(connections, sizeof *conns);
	latency = calloc(LATENCY_STEPS, sizeof *latency);
	poller = epoll_create1(0);
	for (int i = 0; i < connections; i++) {
		open_connection(&conns[i], i);
		live++;
		if (i % CONNECT_BATCH == CONNECT_BATCH - 1) usleep(CONNECT_PAUSE_US);
	}
	say("connected");
	if (!wait_for_line()) return 0;

	long long started = now_ns(), limit = started + limit_ms * 1000000;
	for (int i = 0; i < connections; i++) send_request(&conns[i]);
	if (window_ms) {
		long long at = started + warm_ms * 1000000;
		while (now_ns() < at) serve_events(at);
		reset_counts();
		say("start");
		started = now_ns();
		at = started + window_ms * 1000000;
		while (now_ns() < at) serve_events(at);
		say("end");
	} else {
		while (answered + errors < total_requests && live && now_ns() < limit) serve_events(limit);
	}
	double seconds = (now_ns() - started) / 1e9;
	if (total_requests && answered + errors < total_requests) {
		errors = total_requests - answered;
		if (!*first_error) snprintf(first_error, sizeof first_error, "no answer within the limit");
	}
	printf("{\"requests\": %ld, \"errors\": %ld, \"first_error\": \"%s\", \"seconds\": %.6f, "
	       "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
	       answered, errors, first_error, seconds, percentile(0.50), percentile(0.99), percentile(1.0));
	fflush(stdout);
	if (hold) {
		wait_for_line();
		printf("{\"closed\": %d}\n", closed_by_server());
	}
	return 0;
}
