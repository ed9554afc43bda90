// The requests: which page is next, and the bytes that ask for it.

static char *out; // requests of the connection that is being served
static size_t out_len, out_room;

static void add_out(const void *p, size_t n) {
	if (out_len + n > out_room) {
		out_room = 2 * (out_len + n);
		out = realloc(out, out_room);
	}
	memcpy(out + out_len, p, n);
	out_len += n;
}

static struct page *next_page(void) {
	if (page_count == 1) return pages;
	int sum = 0;
	struct page *best = pages;
	for (struct page *p = pages; p < pages + page_count; p++) {
		sum += p->weight;
		p->turn += p->weight;
		if (p->turn > best->turn) best = p;
	}
	best->turn -= sum;
	return best;
}

static void add_request(struct page *p) {
	static long unique;
	static long long run;
	if (p->unique) {
		char target[1200];
		if (!run) run = time(NULL) * 100000LL + getpid() % 100000; // another cache key than any run before
		add_out(target, snprintf(target, sizeof target, "%s %s%cn=%llx.%lx", p->post ? "POST" : "GET", p->path,
		                         strchr(p->path, '?') ? '&' : '?', run, ++unique));
	}
	add_out(p->request, p->request_len);
}

static void prepare_page(struct page *p) {
	size_t room = 1500 + p->post;
	p->request = malloc(room);
	int n = 0;
	if (!p->unique) n = snprintf(p->request, room, "%s %s", p->post ? "POST" : "GET", p->path);
	n += snprintf(p->request + n, room - n, " HTTP/1.1\r\nHost: example.com\r\nUser-Agent: load\r\nAccept: */*\r\n%s",
	              new_connections && p != &slow_page ? "Connection: close\r\n" : "");
	if (p->post)
		n += snprintf(p->request + n, room - n, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", p->post);
	n += snprintf(p->request + n, room - n, "\r\n");
	for (int i = 0; i < p->post; i++) p->request[n++] = 'a' + i % 26;
	p->request_len = n;
}
