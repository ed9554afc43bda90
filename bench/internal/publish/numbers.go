package publish

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"seawall/bench/internal/result"
)

// none stands where there is no figure.
const none = "-"

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// number prints three significant digits, of large values all before the point, in groups of three.
func number(v float64) string {
	if !finite(v) {
		return none
	}
	size := math.Abs(v)
	digits := 0
	switch {
	case v == math.Trunc(v) && size < 1000:
	case size >= 99.95:
	case size >= 9.995:
		digits = 1
	case size >= 0.9995:
		digits = 2
	case size >= 0.0005:
		digits = 3
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if text == "-0" {
		text = "0"
	}
	return grouped(text)
}

// amount prints a metric's value; of a share that is nearly all, what is missing counts.
func amount(key string, v float64) string {
	if metricOf(key).Unit == "%" && v > 99 && v < 100 {
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return number(v)
}

// grouped puts a comma before every third digit of the whole part.
func grouped(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

// ratio prints how many times one figure is another; none where that says nothing.
func ratio(of, to float64) string {
	r := of / to
	if !finite(r) || to <= 0 || of < 0 {
		return none
	}
	if r >= 100 {
		return number(r)
	}
	return fmt.Sprintf("%.2f", r)
}

// spread is the larger half of the interval in per cent of the median, rounded up, as benchstat prints it.
func spread(s result.Summary) string {
	if !s.HasInterval || s.Median == 0 || s.Low == s.High {
		return ""
	}
	half := 100 * max(s.High-s.Median, s.Median-s.Low) / math.Abs(s.Median)
	if !finite(half) {
		return ""
	}
	return fmt.Sprintf(" ± %.0f %%", math.Ceil(half-1e-9))
}

// interval prints both ends of a 95 % interval.
func interval(s result.Summary) string {
	if !s.HasInterval || !finite(s.Low) || !finite(s.High) {
		return none
	}
	low, high := number(s.Low), number(s.High)
	if low == high {
		return low
	}
	return low + " to " + high
}

// unitOf is a unit as it is written in documents; the keys keep to ASCII.
func unitOf(m result.Metric) string {
	return strings.Replace(m.Unit, "us", "µs", 1)
}
