// The command line of load, which load.c describes.

enum { PAGES = 16, STEPS = 64 };

static int connections = 64, port, sources = 8, hold, depth = 1, new_connections, reopen;
static int slow_readers, slow_rate;
static double rate;
static long total_requests;
static long long warm_ms, window_ms, limit_ms = 60000;
static int steps[STEPS], step_count;
static struct page pages[PAGES], slow_page;
static int page_count;

static void parse_page(struct page *p, char *text) {
	int at = 0;
	*p = (struct page){0};
	if (sscanf(text, "%d:%ld:%d:%d:%d:%n", &p->status, &p->size, &p->post, &p->unique, &p->weight, &at) != 5 || !at ||
	    text[at] != '/' || strlen(text + at) > 1000 || p->weight < 1 || p->post < 0) {
		fprintf(stderr, "load: %s is not STATUS:SIZE:POST:UNIQUE:WEIGHT:PATH\n", text);
		exit(2);
	}
	p->path = text + at;
}

static void parse_arguments(int argc, char **argv) {
	struct page *last = NULL;
	int o;
	while ((o = getopt(argc, argv, "c:p:u:B:s:R:P:Naw:d:r:S:t:kK:V:x:")) != -1) switch (o) {
		case 'c': connections = atoi(optarg); break;
		case 'p': port = atoi(optarg); break;
		case 'u':
			if (page_count == PAGES) exit(2);
			parse_page(last = &pages[page_count++], optarg);
			break;
		case 'x': parse_page(last = &slow_page, optarg); break;
		case 'B':
			if (last) last->body = optarg;
			break;
		case 's': sources = atoi(optarg); break;
		case 'R': rate = atof(optarg); break;
		case 'P': depth = atoi(optarg); break;
		case 'N': new_connections = 1; break;
		case 'a': reopen = 1; break;
		case 'w': warm_ms = atol(optarg); break;
		case 'd': window_ms = atol(optarg); break;
		case 'r': total_requests = atol(optarg); break;
		case 'S':
			for (char *t = strtok(optarg, ","); t && step_count < STEPS; t = strtok(NULL, ",")) steps[step_count++] = atoi(t);
			connections = steps[step_count - 1];
			break;
		case 't': limit_ms = atol(optarg); break;
		case 'k': hold = 1; break;
		case 'K': slow_readers = atoi(optarg); break;
		case 'V': slow_rate = atoi(optarg); break;
		default: exit(2);
		}
	const char *lacking = !page_count || !port                                    ? "-u and -p are needed"
	                      : !!total_requests + !!window_ms + !!step_count != 1    ? "one of -d, -r and -S is needed"
	                      : new_connections && (depth > 1 || hold || step_count) ? "-N goes with none of -P, -k and -S"
	                      : slow_readers && (!slow_page.path || slow_rate < 1)   ? "-K needs -V and -x"
	                                                                             : NULL;
	if (lacking) {
		fprintf(stderr, "load: %s\n", lacking);
		exit(2);
	}
}
