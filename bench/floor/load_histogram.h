// Latencies in buckets whose width grows with the value: at most 1/128 of it, so that a percentile is right to 1 % from
// 1 us to 100 s and the whole table has a few thousand entries. The largest value is kept exactly.

enum {
	HISTOGRAM_BITS = 7,
	HISTOGRAM_SUB = 1 << HISTOGRAM_BITS,
	HISTOGRAM_OCTAVES = 31, // values up to 2^37 ns: 137 s
};

struct histogram {
	long count;
	long long max_ns;
	long bucket[HISTOGRAM_OCTAVES * HISTOGRAM_SUB];
};

static void histogram_add(struct histogram *h, long long ns) {
	if (ns < 0) ns = 0;
	int octave = ns < HISTOGRAM_SUB ? 0 : 63 - __builtin_clzll(ns) - HISTOGRAM_BITS + 1;
	if (octave >= HISTOGRAM_OCTAVES)
		h->bucket[HISTOGRAM_OCTAVES * HISTOGRAM_SUB - 1]++;
	else if (octave == 0)
		h->bucket[ns]++;
	else
		h->bucket[octave * HISTOGRAM_SUB + (ns >> (octave - 1)) - HISTOGRAM_SUB]++;
	h->count++;
	if (ns > h->max_ns) h->max_ns = ns;
}

// histogram_ms returns the latency in ms that the given per cent of the values did not exceed.
static double histogram_ms(const struct histogram *h, double percent) {
	double want = h->count * percent / 100;
	long seen = 0;
	if (percent < 100)
		for (int i = 0; i < HISTOGRAM_OCTAVES * HISTOGRAM_SUB - 1; i++) {
			seen += h->bucket[i];
			if (!h->bucket[i] || seen < want) continue;
			int octave = i / HISTOGRAM_SUB, shift = octave ? octave - 1 : 0;
			long long first = octave ? (long long)(i % HISTOGRAM_SUB + HISTOGRAM_SUB) << shift : i;
			long long last = first + (1LL << shift) - 1;
			return (last < h->max_ns ? last : h->max_ns) / 1e6;
		}
	return h->max_ns / 1e6;
}

// histogram_print prints the percentiles and a curve of about 60 points from 50 % to 100 %, as dense at 99.99 % as at
// 50 % on a scale of the decimals; points finer than one value in all of them are left out.
static void histogram_print(const struct histogram *h) {
	enum { POINTS = 59 };
	printf("\"p50_ms\": %.6f, \"p90_ms\": %.6f, \"p99_ms\": %.6f, \"p999_ms\": %.6f, \"max_ms\": %.6f, \"curve\": [",
	       histogram_ms(h, 50), histogram_ms(h, 90), histogram_ms(h, 99), histogram_ms(h, 99.9), h->max_ns / 1e6);
	double rest = 50;
	for (int i = 0; i < POINTS && rest / 100 * h->count >= 1; i++) {
		printf("[%.6f, %.6f], ", 100 - rest, histogram_ms(h, 100 - rest));
		rest *= 0.8298; // 50 * 0.8298^58 = 0.001
	}
	printf("[100, %.6f]]", h->max_ns / 1e6);
}
