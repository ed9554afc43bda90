//go:build ignore

// keeper: runs a program and sees to it that nothing of it is left when the bench ends, however it ends.
//
//	keeper CORE,CORE... PROGRAM ARGUMENT...
//
// The kernel gives the keeper every orphan below it (subreaper), so that a process which made its own group or session,
// or whose parent is gone, is still found here. Two descriptors come from the bench:
//
//	3  commands: each byte is the number of a signal for the program; the end of file, which the kernel sees to
//	   even when the bench is killed, ends the program and all that came from it
//	4  news: "pid N NANOSECONDS" when the program runs, with the time just before it was started, or "failed ERRNO";
//	   then "exit STATUS" or "signal N"
//
// When the program has ended, what it left behind is killed, and the keeper ends.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS = 3, NEWS = 4 };

static void die(const char *what) {
	fprintf(stderr, "keeper: %s: %s\n", what, strerror(errno));
	dprintf(NEWS, "failed %d\n", errno);
	_exit(127);
}

// A set that has room for every core that a kernel may have.
enum { MOST_CORES = 8192 };

static void pin(char *list) {
	cpu_set_t *set = CPU_ALLOC(MOST_CORES);
	if (!set)
		die("memory");
	CPU_ZERO_S(CPU_ALLOC_SIZE(MOST_CORES), set);
	for (char *core = strtok(list, ","); core; core = strtok(NULL, ","))
		CPU_SET_S(atoi(core), CPU_ALLOC_SIZE(MOST_CORES), set);
	if (sched_setaffinity(0, CPU_ALLOC_SIZE(MOST_CORES), set) != 0)
		die("sched_setaffinity");
}

// Starts the program; returns once it runs.
static pid_t start(char **argv, const sigset_t *mask) {
	int failure[2], error;
	if (pipe2(failure, O_CLOEXEC) != 0)
		die("pipe");
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	pid_t keeper = getpid(), pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		setpgid(0, 0);
		// For the case that somebody kills the keeper itself.
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != keeper)
			_exit(127);
		// Whatever the bench was started with: under nohup a shell could not even trap SIGHUP.
		for (int number = 1; number < NSIG; number++)
			signal(number, SIG_DFL);
		sigprocmask(SIG_SETMASK, mask, NULL);
		pin(argv[1]);
		execv(argv[2], argv + 2);
		error = errno;
		if (write(failure[1], &error, sizeof error) < 0)
			_exit(126);
		_exit(127);
	}
	close(failure[1]);
	ssize_t got;
	while ((got = read(failure[0], &error, sizeof error)) < 0 && errno == EINTR)
		;
	if (got > 0) {
		dprintf(NEWS, "failed %d\n", error);
		_exit(127);
	}
	close(failure[0]);
	dprintf(NEWS, "pid %d %lld\n", pid, now.tv_sec * 1000000000LL + now.tv_nsec);
	return pid;
}

// Kills the keeper's children. Theirs become its own, and have their turn when it is called again.
static void kill_children(void) {
	DIR *all = opendir("/proc");
	if (!all)
		return;
	for (struct dirent *entry; (entry = readdir(all));) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		char path[64], stat[512];
		snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		ssize_t n = read(fd, stat, sizeof stat - 1);
		close(fd);
		if (n <= 0)
			continue;
		stat[n] = 0;
		// The name, in parentheses, may contain anything.
		char *end = strrchr(stat, ')'), state;
		int parent;
		if (end && sscanf(end + 1, " %c %d", &state, &parent) == 2 && parent == getpid())
			kill(atoi(entry->d_name), SIGKILL);
	}
	closedir(all);
}

static void end_all(void) {
	for (;;) {
		kill_children();
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			return;
	}
}

int main(int argc, char **argv) {
	if (argc < 3) {
		fprintf(stderr, "usage: keeper CORES PROGRAM [ARGUMENT]...\n");
		return 2;
	}
	fcntl(COMMANDS, F_SETFD, FD_CLOEXEC);
	fcntl(NEWS, F_SETFD, FD_CLOEXEC);
	setsid(); // no terminal's signal reaches it
	signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		die("prctl");
	sigset_t awaited, before;
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGHUP); // somebody wants the keeper itself to end: not without the rest
	sigaddset(&awaited, SIGINT);
	sigaddset(&awaited, SIGTERM);
	sigprocmask(SIG_BLOCK, &awaited, &before);
	int signals = signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		die("signalfd");

	pid_t program = start(argv, &before);

	// The program's pipes have to end when it closes them.
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(nothing, fd);

	for (;;) {
		struct pollfd wait[] = {{.fd = COMMANDS, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			break;
		if (wait[1].revents) {
			struct signalfd_siginfo info;
			int told = 0;
			while (read(signals, &info, sizeof info) > 0)
				told |= info.ssi_signo != SIGCHLD;
			if (told)
				break;
			int status;
			for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
				if (pid != program)
					continue;
				end_all();
				if (WIFSIGNALED(status))
					dprintf(NEWS, "signal %d\n", WTERMSIG(status));
				else
					dprintf(NEWS, "exit %d\n", WEXITSTATUS(status));
				return 0;
			}
		}
		if (wait[0].revents) {
			unsigned char number;
			ssize_t got = read(COMMANDS, &number, 1);
			if (got == 1)
				kill(program, number);
			else if (got == 0 || errno != EINTR)
				break;
		}
	}
	end_all();
	dprintf(NEWS, "signal %d\n", SIGKILL);
	return 0;
}
