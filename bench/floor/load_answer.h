// Checking of an answer, as its bytes come in. An answer is right when its status is the page's and its body has the
// page's length and letters: the letters at both ends of every piece that one read brought are looked at, which finds a
// body that is shifted, doubled or cut without touching each byte. A body of a page's own is compared whole.

// A page: what is asked for, and the answer that is right.
struct page {
	const char *path;
	int status;
	long size; // of the body; -1: any body is right
	const char *body;
	int post; // bytes of request body; 0: a GET
	int unique;
	int weight, turn; // smooth weighted round robin, as nginx's upstream does it
	char *request;    // the whole request; with unique: what follows the target
	int request_len;
};

// The direction of an answer. Each state may go to the ones behind it; the chunk states go round.
enum answer_state {
	IN_HEAD,
	IN_BODY,        // left bytes are to come
	UNTIL_CLOSE,    // the end of the connection ends the body
	IN_CHUNK_SIZE,  // left collects the digits
	IN_CHUNK_REST,  // extension and end of the line with the size
	IN_CHUNK,       // left bytes are to come
	IN_CHUNK_END,   // the line end behind them
	IN_TRAILER,     // at the beginning of a line
	IN_TRAILER_LINE // within a line
};

struct answer {
	enum answer_state state;
	int closes;  // the server is going to close the connection
	int digits;  // of the chunk's size
	long left;
	long at;     // bytes of body seen
	char *head;  // the beginning of a head whose end has not arrived
	size_t head_len;
};

enum outcome { MORE, DONE, WRONG };

static char answer_error[200]; // what was wrong, after WRONG

static enum outcome wrong(const char *what, const char *detail) {
	snprintf(answer_error, sizeof answer_error, "%s%.60s", what, detail);
	return WRONG;
}

static void answer_reset(struct answer *a) {
	free(a->head);
	*a = (struct answer){0};
}

static enum outcome body_piece(struct answer *a, const struct page *p, const char *b, size_t n) {
	long at = a->at;
	a->at += n;
	if (n == 0 || p->size < 0) return MORE;
	if (a->at > p->size) return wrong("the body is longer than it should be", "");
	if (p->body) return memcmp(b, p->body + at, n) ? wrong("the body is another one", "") : MORE;
	if (b[0] != 'a' + at % 26)
		return wrong(at ? "the body goes on with another letter" : "the body begins with another letter", "");
	if (b[n - 1] != 'a' + (a->at - 1) % 26)
		return wrong(a->at == p->size ? "the body ends with another letter" : "the body goes on with another letter", "");
	return MORE;
}

static enum outcome body_end(struct answer *a, const struct page *p) {
	if (p->size >= 0 && a->at != p->size) return wrong("the body is shorter than it should be", "");
	return DONE;
}

static int value_has(const char *value, const char *end, const char *word) {
	size_t n = strlen(word);
	for (; value + n <= end; value++)
		if (!strncasecmp(value, word, n)) return 1;
	return 0;
}

// head_complete takes a head, which ends with an empty line, and says how its body is delimited (RFC 9112, 6.3).
static enum outcome head_complete(struct answer *a, const struct page *p, const char *head, const char *end) {
	const char *line = memchr(head, '\n', end - head);
	char status_line[41];
	snprintf(status_line, sizeof status_line, "%.*s", (int)(line - head), head);
	if (strncmp(status_line, "HTTP/1.1 ", 9) || atoi(status_line + 9) != p->status) {
		char what[48];
		snprintf(what, sizeof what, "not a %d: ", p->status);
		return wrong(what, status_line);
	}
	long length = -1;
	int chunked = 0;
	while (++line < end - 2) {
		const char *next = memchr(line, '\n', end - line);
		if ((*line | 0x20) == 'c' && next - line > 11) {
			if (next - line > 15 && !strncasecmp(line, "Content-Length:", 15))
				length = strtol(line + 15, NULL, 10);
			else if (!strncasecmp(line, "Connection:", 11) && value_has(line + 11, next, "close"))
				a->closes = 1;
		} else if ((*line | 0x20) == 't' && next - line > 18 && !strncasecmp(line, "Transfer-Encoding:", 18)) {
			chunked = value_has(line + 18, next, "chunked");
		}
		line = next;
	}
	if (p->status == 204 || p->status == 304) {
		length = 0;
		chunked = 0;
	}
	if (chunked) {
		a->state = IN_CHUNK_SIZE;
	} else if (length < 0) {
		if (!a->closes) return wrong("no Content-Length, not chunked, and the connection is to stay", "");
		a->state = UNTIL_CLOSE;
	} else {
		if (p->size >= 0 && length != p->size) {
			char numbers[48];
			snprintf(numbers, sizeof numbers, "%ld, not %ld", length, p->size);
			return wrong("wrong Content-Length: ", numbers);
		}
		a->state = IN_BODY;
		a->left = length;
		if (length == 0) return body_end(a, p);
	}
	return MORE;
}

// head_bytes looks for the end of the head; used is how many of the bytes belong to it.
static enum outcome head_bytes(struct answer *a, const struct page *p, const char *b, size_t n, size_t *used) {
	const char *end;
	if (!a->head) {
		if ((end = memmem(b, n, "\r\n\r\n", 4))) {
			*used = end + 4 - b;
			return head_complete(a, p, b, end + 4);
		}
		a->head = malloc(n);
		memcpy(a->head, b, a->head_len = n);
		*used = n;
		return MORE;
	}
	size_t had = a->head_len;
	a->head = realloc(a->head, had + n);
	memcpy(a->head + had, b, n);
	a->head_len = had + n;
	*used = n;
	if (!(end = memmem(a->head, a->head_len, "\r\n\r\n", 4))) return MORE;
	*used = end + 4 - a->head - had;
	enum outcome o = head_complete(a, p, a->head, end + 4);
	free(a->head);
	a->head = NULL;
	a->head_len = 0;
	return o;
}

// chunk_byte takes a byte of the framing between the pieces of a chunked body (RFC 9112, 7.1).
static enum outcome chunk_byte(struct answer *a, const struct page *p, char c) {
	switch (a->state) {
	case IN_CHUNK_SIZE:
		if (c == '\r' || c == ';' || c == ' ') {
			if (!a->digits) return wrong("a chunk without a size", "");
			a->state = IN_CHUNK_REST;
			return MORE;
		}
		int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
		if (digit < 0 || ++a->digits > 12) return wrong("the size of a chunk is no number", "");
		a->left = a->left * 16 + digit;
		return MORE;
	case IN_CHUNK_REST:
		if (c == '\n') a->state = a->left ? IN_CHUNK : IN_TRAILER;
		a->digits = 0;
		return MORE;
	case IN_CHUNK_END:
		if (c == '\n')
			a->state = IN_CHUNK_SIZE;
		else if (c != '\r')
			return wrong("a chunk is longer than its size", "");
		return MORE;
	case IN_TRAILER:
		if (c == '\n') return body_end(a, p);
		if (c != '\r') a->state = IN_TRAILER_LINE;
		return MORE;
	default: // IN_TRAILER_LINE
		if (c == '\n') a->state = IN_TRAILER;
		return MORE;
	}
}

// answer_bytes takes bytes of one answer; used is how many of them belong to it. After DONE the next answer begins with a
// reset one.
static enum outcome answer_bytes(struct answer *a, const struct page *p, const char *b, size_t n, size_t *used) {
	size_t i = 0;
	enum outcome o = MORE;
	while (o == MORE && i < n) {
		size_t step = 1;
		switch (a->state) {
		case IN_HEAD:
			o = head_bytes(a, p, b + i, n - i, &step);
			break;
		case UNTIL_CLOSE:
			step = n - i;
			o = body_piece(a, p, b + i, step);
			break;
		case IN_BODY:
		case IN_CHUNK:
			step = n - i < (size_t)a->left ? n - i : (size_t)a->left;
			o = body_piece(a, p, b + i, step);
			a->left -= step;
			if (o == MORE && a->left == 0) {
				if (a->state == IN_BODY)
					o = body_end(a, p);
				else
					a->state = IN_CHUNK_END;
			}
			break;
		default:
			o = chunk_byte(a, p, b[i]);
		}
		i += step;
	}
	*used = i;
	return o;
}

// answer_closed says what the end of the connection means for the answer that is due.
static enum outcome answer_closed(struct answer *a, const struct page *p) {
	if (a->state == UNTIL_CLOSE) return body_end(a, p);
	return wrong(a->state == IN_HEAD ? "closed by the server" : "closed by the server within an answer", "");
}
