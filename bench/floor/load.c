//go:build ignore

// The line above keeps the go command from taking this file for a part of package floor, which embeds it.

// load: a load generator for constant rates, thousands of connections and slow readers, which checks every answer.
//
//	load -p port [-c connections] [-s source addresses] -u PAGE [-B body] [-u PAGE [-B body]]... [-R rate] [-P depth]
//	     [-N] [-a] [-w warm-up ms -d window ms | -r requests in all | -S connections,connections,...] [-t limit ms] [-k]
//	     [-K slow readers -V bytes per second each -x PAGE [-B body]]
//
// PAGE is STATUS:SIZE:POST:UNIQUE:WEIGHT:PATH: the status and body length that are right (SIZE -1: any body), the length of
// the request's body (0: a GET), 1 where each request is to have a query of its own, and the share among the pages. -B: the
// body that is right, where it is not the alphabet.
//
// The connections are opened first, spread over the addresses 127.0.0.2 and following. Then:
//
//	prints "connected", reads a line ("go") from standard input
//	closed loop: sends -P requests on each connection, and on each answer the next one
//	-R: sends so many requests per second in all, each at its due time, on the connection that has been free longest. When
//	none is free, requests wait: their latency counts from the due time all the same (no coordinated omission)
//	timed (-d): after the warm-up prints "start", after the window "end", then waits for the answers still due, 5 s at most
//	and no longer than -t; else goes on until -r requests are answered
//	prints one line of JSON: counts, latency in ms, its curve
//	with -k: holds the connections until standard input ends, then prints {"closed": how many the server had closed}
//
// With -S nothing is opened first. On each line that it reads it opens connections until there are as many as the next
// number of the list, makes one request on each new one, waits for the answers, and prints {"connections", "errors",
// "first_error"}; all are held as with -k.
//
// -N: each request has a connection of its own and says "Connection: close"; the latency counts from connect(). The answer
// must be followed by the server's close, as RFC 9112, 9.6 wants it, and the client closes after it, without a reset: so
// do browsers and curl, and so the TIME_WAIT of a connection is the server's, as it is in production. A server that does
// not close is found at the end, when the answers are waited for. All other connections are closed by a reset, so that no
// port lingers.
//
// -a: the server may close a connection between answers, as it does when it reloads, and a lost one is opened again.
// What was asked and not answered is an error all the same. Without -a a connection that the server closes is an error and
// stays closed.
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
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "load_answer.h"
#include "load_histogram.h"
#include "load_options.h"
#include "load_requests.h"

#include "load_connections.h"

enum {
	EVENTS = 256,
	BUFFER = 256 * 1024,
	CONNECT_BATCH = 128, // then a pause, so that a listen queue of nginx's 511 does not overflow
	CONNECT_PAUSE_US = 3000,
	SLOW_TICKS = 20, // per second
	DRAIN_MS = 5000, // at most, for the answers still due at the end of the window
};

static struct conn *conns, *slow_conns;
static char buffer[BUFFER];
static long sent, answered, slow_answers;
static long long bytes, slow_bytes;
static long long schedule_ns; // when request 0 was due
static long long slow_tick_ns;
static int draining; // the window is over: nothing more is sent
static struct histogram latency;

static void say(const char *line) {
	puts(line);
	fflush(stdout);
}

// The schedule

static long long due_ns(long i) { return schedule_ns + (long long)(i * (1e9 / rate)); }

static int may_send(void) { return !draining && !(total_requests && sent == total_requests); }

// start_request adds a request to the output; the caller flushes.
static void start_request(struct conn *c, long long due) {
	struct page *p = c->slow ? &slow_page : next_page();
	c->sent[(c->first + c->under_way++) % depth] = (struct sent){due, p};
	if (!c->slow) {
		sent++;
		if (is_in_window(due)) due_in_window++;
	}
	add_request(p);
}

// send_to begins a request on a connection, which it opens when each request has its own.
static void send_to(struct conn *c, long long due) {
	if (new_connections && !c->slow && open_connection(c, 0) < 0) {
		sent++;
		fail(c, strerror(errno));
		return;
	}
	start_request(c, due);
	flush(c);
}

// send_due sends what the schedule has for now, as far as there are free connections.
static void send_due(long long now) {
	while (ring_len && may_send() && due_ns(sent) <= now) {
		struct conn *c = ring[ring_first];
		ring_first = (ring_first + 1) % ring_size;
		ring_len--;
		c->queued--;
		if (usable(c)) send_to(c, due_ns(sent));
	}
}

// go_on gives a connection what it is to do next.
static void go_on(struct conn *c) {
	if (c->slow) {
		send_to(c, now_ns());
	} else if (rate) {
		set_free(c);
	} else if (usable(c)) {
		while (c->under_way < depth && may_send()) {
			if (new_connections) {
				send_to(c, now_ns());
				return;
			}
			start_request(c, now_ns());
		}
		if (out_len) flush(c);
	}
}

static void answer_complete(struct conn *c) {
	long long now = now_ns(), due = c->sent[c->first].due_ns;
	c->first = (c->first + 1) % depth;
	c->under_way--;
	if (c->slow) {
		slow_answers++;
		return;
	}
	if (rate && window_ms ? !is_in_window(due) : draining) return;
	answered++;
	histogram_add(&latency, now - due);
}

// closed serves the end of a connection: right after an answer that announced it, or between answers with -a.
static void closed(struct conn *c) {
	if (c->under_way) {
		if (answer_closed(&c->answer, c->sent[c->first].page) == WRONG) {
			fail(c, answer_error);
			return;
		}
		answer_complete(c);
	}
	int announced = c->answer.closes;
	if (new_connections && !c->slow) {
		close_connection(c);
		go_on(c);
	} else if (reopen && !c->slow) {
		close_connection(c);
		if (announced && open_connection(c, 0) == 0)
			go_on(c);
		else
			retry_later(c);
	} else {
		fail(c, "closed by the server");
	}
}

// readable reads once, at most so many bytes, and returns how many came.
static ssize_t readable(struct conn *c, size_t room) {
	ssize_t n = read(c->fd, buffer, room < BUFFER ? room : BUFFER);
	if (n <= 0) {
		if (n < 0 && errno == EAGAIN) return 0;
		if (n == 0)
			closed(c);
		else
			fail(c, strerror(errno));
		return 0;
	}
	*(c->slow ? &slow_bytes : &bytes) += n;
	for (size_t used, at = 0; at < (size_t)n; at += used) {
		if (!c->under_way || (c->answer.closes && c->answer.state == IN_HEAD)) {
			fail(c, "bytes that were not asked for");
			return n;
		}
		enum outcome o = answer_bytes(&c->answer, c->sent[c->first].page, buffer + at, n - at, &used);
		if (o == WRONG) {
			fail(c, answer_error);
			return n;
		}
		if (o == MORE) return n;
		int closes = c->answer.closes, own = new_connections && !c->slow;
		answer_reset(&c->answer);
		answer_complete(c);
		if (closes && !own && (!reopen || c->slow)) {
			fail(c, "the server closes the connection");
			return n;
		}
		c->answer.closes = closes || own; // the end is to follow
	}
	if (!c->answer.closes) go_on(c);
	return n;
}

static void serve_slow(long long now) {
	if (now < slow_tick_ns) return;
	slow_tick_ns = now + 1000000000LL / SLOW_TICKS;
	for (struct conn *c = slow_conns; c < slow_conns + slow_readers; c++) {
		c->allowance += (now - c->read_ns) / 1e9 * slow_rate;
		if (c->allowance > slow_rate) c->allowance = slow_rate; // a late tick does not make up for more than a second
		c->read_ns = now;
		while (c->fd >= 0 && c->allowance >= 1) {
			ssize_t n = readable(c, (size_t)c->allowance);
			if (n <= 0) break;
			c->allowance -= n;
		}
	}
}

static void serve_lost(long long now) {
	if (!lost_len || now < retry_ns) return;
	int n = lost_len;
	lost_len = 0;
	for (int i = 0; i < n; i++) {
		struct conn *c = lost[i];
		c->retrying = 0;
		if (!new_connections && open_connection(c, 0) < 0) {
			close_connection(c);
			retry_later(c); // behind what this loop still reads: no more are added than were taken
		} else {
			go_on(c);
		}
	}
}

// wait_events is epoll_wait with a timeout in ns where the kernel has it (5.11).
static int wait_events(struct epoll_event *events, long long ns) {
	if (ns < 0) ns = 0;
#ifdef SYS_epoll_pwait2
	static int lacking;
	if (!lacking) {
		struct timespec t = {ns / 1000000000, ns % 1000000000};
		int n = syscall(SYS_epoll_pwait2, poller, events, EVENTS, &t, NULL, 0);
		if (n >= 0 || errno != ENOSYS) return n;
		lacking = 1;
	}
#endif
	return epoll_wait(poller, events, EVENTS, (int)((ns + 999999) / 1000000));
}

// serve_events does what is due, waits for events once, at most until the given time, and serves them.
static void serve_events(long long until) {
	struct epoll_event events[EVENTS];
	long long now = now_ns();
	if (rate) send_due(now);
	if (slow_readers) serve_slow(now);
	serve_lost(now);
	if (rate && ring_len && may_send() && due_ns(sent) < until) until = due_ns(sent);
	if (slow_readers && slow_tick_ns < until) until = slow_tick_ns;
	if (lost_len && retry_ns < until) until = retry_ns;
	int n = wait_events(events, until - now_ns());
	for (int i = 0; i < n; i++) {
		struct conn *c = events[i].data.ptr;
		if (c->fd < 0) continue;
		if (events[i].events & EPOLLOUT) writable(c);
		if (c->fd >= 0 && events[i].events & ~EPOLLOUT) readable(c, BUFFER);
		if (rate && i % 8 == 7) send_due(now_ns()); // a long list of answers must not delay what is due
	}
}

static void run_until(long long at) {
	while (now_ns() < at) serve_events(at);
}

// drain waits for the answers that are due after the window; those that do not come are errors.
static void drain(void) {
	long long until = now_ns() + (limit_ms < DRAIN_MS ? limit_ms : DRAIN_MS) * 1000000LL;
	if (rate) { // requests of the window that had no connection yet are still to be made
		while ((due_ns(sent) < window_end || answered < due_in_window) && live && now_ns() < until) {
			if (due_ns(sent) >= window_end) draining = 1;
			serve_events(until);
		}
		long missing = due_in_window - answered;
		while (due_ns(sent) < window_end) {
			missing++;
			sent++;
		}
		if (missing > 0) {
			errors += missing;
			note_error("no answer soon after the window");
		}
		return;
	}
	draining = 1;
	for (int i = 0; i < connections; i++)
		while (conns[i].under_way || (conns[i].answer.closes && conns[i].fd >= 0)) {
			if (now_ns() >= until) {
				fail(&conns[i], conns[i].under_way ? "no answer soon after the window" : "not closed by the server");
				break;
			}
			serve_events(until);
		}
}

// Set-up and reports

static void add_connection(struct conn *c, int index, int slow) {
	*c = (struct conn){.fd = -1, .index = index, .slow = slow, .sent = calloc(depth, sizeof(struct sent))};
	live++;
	if (new_connections && !slow) return;
	open_connection(c, 1);
	if (index % CONNECT_BATCH == CONNECT_BATCH - 1) usleep(CONNECT_PAUSE_US);
}

static int closed_by_server(int count) {
	int n_closed = 0;
	char c;
	for (int i = 0; i < count; i++) {
		ssize_t n = conns[i].fd < 0 ? 0 : recv(conns[i].fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN)) n_closed++;
	}
	return n_closed;
}

// wait_for_line returns 0 when standard input ended instead.
static int wait_for_line(void) {
	char line[16];
	return fgets(line, sizeof line, stdin) != NULL;
}

// answer_all waits until so many requests are answered or failed, or the limit is over.
static void answer_all(long count) {
	long long limit = now_ns() + limit_ms * 1000000;
	while (answered + errors < count && live && now_ns() < limit) serve_events(limit);
	if (answered + errors < count) {
		errors = count - answered;
		note_error("no answer within the limit");
	}
}

static void run_steps(void) {
	int open = 0;
	for (int s = 0; s < step_count && wait_for_line(); s++) {
		for (; open < steps[s]; open++) add_connection(&conns[open], open, 0);
		total_requests = open;
		for (int i = (int)sent; i < open; i++)
			if (conns[i].fd >= 0) send_to(&conns[i], now_ns());
		answer_all(open);
		printf("{\"connections\": %d, \"errors\": %ld, \"first_error\": \"%s\"}\n", open, errors, first_error);
		fflush(stdout);
	}
	wait_for_line();
	printf("{\"closed\": %d}\n", closed_by_server(open));
}

static void report(double seconds) {
	printf("{\"requests\": %ld, \"errors\": %ld, \"first_error\": \"%s\", \"bytes\": %lld, \"seconds\": %.6f, "
	       "\"reopened\": %ld, \"slow_answers\": %ld, \"slow_bytes\": %lld, ",
	       answered, errors, first_error, bytes, seconds, reopened, slow_answers, slow_bytes);
	histogram_print(&latency);
	say("}");
}

int main(int argc, char **argv) {
	struct rlimit files;
	parse_arguments(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1); // ns; requests are to leave when they are due
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (int i = 0; i < page_count; i++) prepare_page(&pages[i]);
	if (slow_readers) prepare_page(&slow_page);
	ring_size = (size_t)connections * depth;
	ring = calloc(ring_size, sizeof *ring);
	lost = calloc(connections, sizeof *lost);
	conns = calloc(connections, sizeof *conns);
	slow_conns = calloc(slow_readers + 1, sizeof *slow_conns);
	poller = epoll_create1(0);
	if (step_count) {
		say("connected");
		run_steps();
		return 0;
	}
	for (int i = 0; i < connections; i++) add_connection(&conns[i], i, 0);
	for (int i = 0; i < slow_readers; i++) add_connection(&slow_conns[i], i, 1);
	say("connected");
	if (!wait_for_line()) return 0;

	long long started = schedule_ns = now_ns();
	window_from = started + warm_ms * 1000000;
	window_end = window_from + window_ms * 1000000;
	for (int i = 0; i < slow_readers; i++) {
		slow_conns[i].read_ns = started;
		go_on(&slow_conns[i]);
	}
	for (int i = 0; i < connections; i++) go_on(&conns[i]);
	double seconds;
	if (window_ms) {
		run_until(window_from);
		if (!rate) { // at a rate the due time says which window a request belongs to
			latency = (struct histogram){0};
			answered = 0;
		}
		bytes = slow_bytes = slow_answers = 0;
		say("start");
		started = now_ns();
		run_until(window_end);
		seconds = (now_ns() - started) / 1e9;
		say("end");
		long long received = bytes;
		drain();
		bytes = received;
	} else {
		answer_all(total_requests);
		seconds = (now_ns() - started) / 1e9;
	}
	report(seconds);
	if (hold) {
		wait_for_line();
		printf("{\"closed\": %d}\n", closed_by_server(connections));
	}
	return 0;
}
