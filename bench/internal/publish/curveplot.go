package publish

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"seawall/bench/internal/result"
)

// Sizes of a curve plot in points.
const (
	curveWidth  = 760
	curveHeight = 340
	curveHead   = 30 // title
	keyWidth    = 112
	markers     = 9   // at most so many on a line
	maxPoints   = 240 // of a line; more cannot be seen at this width
)

// curveKind is one kind of plot over a curve of the results.
type curveKind struct {
	key      string
	file     string // before the scenario's name, where that does not have it
	title    string // of latencies it comes from the scenario
	x, y     string // labels with units
	place    func(x float64) (float64, bool)
	xTicks   plot.Ticker
	logX     bool
	logY     bool
	withZero bool // the y axis begins at 0
}

func curveKinds() []curveKind {
	same := func(x float64) (float64, bool) { return x, true }
	return []curveKind{
		{
			key: result.LatencyCurve, file: "latency", x: "percentile of the requests",
			y: "latency, ms", place: nines, xTicks: percentileTicks(), logY: true,
		}, {
			key: result.MemoryCurve, file: "memory", title: "Memory against connections", x: "idle connections",
			y: "anonymous memory, MB", place: same, xTicks: evenTicks{}, withZero: true,
		}, {
			key: result.RateCurve, file: "rate", title: "Rate against connections", x: "connections, all of them asking",
			y: "requests/s", place: func(x float64) (float64, bool) { return x, x > 0 }, xTicks: decades{}, logX: true, withZero: true,
		}, {
			key: result.SoakCurve, file: "soak", title: "Memory under load", x: "minutes since the start",
			y: "resident memory, MB", place: func(x float64) (float64, bool) { return x / 60, true }, xTicks: evenTicks{}, withZero: true,
		},
	}
}

// nines places a percentile so that each further nine has the same room: 50 at 0.3, 90 at 1, 99 at 2, 99.9 at 3.
func nines(percentile float64) (float64, bool) {
	if percentile < 50 || percentile > 99.9901 {
		return 0, false
	}
	return -math.Log10(1 - percentile/100), true
}

func percentileTicks() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, p := range []struct {
		at    float64
		label string
	}{{50, "50 %"}, {90, "90 %"}, {99, "99 %"}, {99.9, "99.9 %"}, {99.99, "99.99 %"}} {
		x, _ := nines(p.at)
		ticks = append(ticks, plot.Tick{Value: x, Label: p.label})
	}
	return ticks
}

// evenTicks are at 1, 2 or 5 times a power of ten, at most seven.
type evenTicks struct{}

func (evenTicks) Ticks(low, high float64) []plot.Tick {
	if !(high > low) {
		return nil
	}
	decade := math.Pow(10, math.Floor(math.Log10((high-low)/6)))
	step := decade
	for _, times := range []float64{2, 5, 10} {
		if (high-low)/step > 6 {
			step = times * decade
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step; i++ {
		value := i*step + 0 // without the sign of a zero from below
		ticks = append(ticks, plot.Tick{Value: value, Label: tickLabel(value)})
	}
	return ticks
}

// tickLabel has only the digits that a round value needs.
func tickLabel(v float64) string {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // without what arithmetic has left in the last digits
	return grouped(strconv.FormatFloat(v, 'f', -1, 64))
}

// decades are ticks of a logarithmic axis: labelled at 1, 10, 100, and at 2 and 5 too where the axis has few decades.
type decades struct{}

func (decades) Ticks(low, high float64) []plot.Tick {
	if low <= 0 || high <= low {
		return nil
	}
	few := math.Log10(high/low) < 2.2
	var ticks []plot.Tick
	for exponent := math.Floor(math.Log10(low)); exponent <= math.Ceil(math.Log10(high)); exponent++ {
		for digit := 1.0; digit < 10; digit++ {
			value := digit * math.Pow(10, exponent)
			if value < low*(1-1e-9) || value > high*(1+1e-9) {
				continue
			}
			t := plot.Tick{Value: min(max(value, low), high)}
			if digit == 1 || few && (digit == 2 || digit == 5) {
				t.Label = tickLabel(value)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// line is one server's curve, ready to be drawn.
type line struct {
	server string
	points []result.Point
}

// curvePicture draws a scenario's curves of one kind; nil when there are none with two points and more.
func curvePicture(run *result.Run, sc *result.Scenario, kind curveKind) *picture {
	var lines []line
	for _, m := range inOrder(run, sc) {
		if points := kind.points(curve(m, kind.key)); len(points) > 1 {
			lines = append(lines, line{m.Server, points})
		}
	}
	if len(lines) == 0 {
		return nil
	}
	file := sc.Name
	if !strings.Contains(file, kind.file) {
		file = kind.file + "-" + file
	}
	title := kind.title
	if kind.key == result.LatencyCurve {
		title = sc.Name + ": " + strings.ToLower(latencyHead(sc)[:1]) + latencyHead(sc)[1:]
	}
	body := render(title, curveWidth, curveHeight, func(c draw.Canvas) { kind.draw(c, title, lines, serversOf(run)) })
	return &picture{file: file + ".svg", title: title, body: body}
}

// points places and thins a curve: at most maxPoints, the last always among them.
func (k curveKind) points(curve []result.Point) []result.Point {
	var all []result.Point
	for _, p := range curve {
		x, ok := k.place(p.X)
		if ok && !(k.logY && p.Y <= 0) {
			all = append(all, result.Point{X: x, Y: p.Y})
		}
	}
	step := (len(all) + maxPoints - 1) / maxPoints
	if step <= 1 {
		return all
	}
	var few []result.Point
	for i := (len(all) - 1) % step; i < len(all); i += step {
		few = append(few, all[i])
	}
	return few
}

func (k curveKind) draw(c draw.Canvas, title string, lines []line, servers []string) {
	c.FillText(words(13, true, ink), vg.Point{X: c.Min.X + vg.Points(4), Y: c.Max.Y - vg.Points(12)}, title)
	p := k.frame(lines)
	area := draw.Crop(c, vg.Points(4), -vg.Points(keyWidth), vg.Points(4), -vg.Points(curveHead))
	p.Add(grid{})
	// The last is on top: ours.
	sorted := slices.Clone(lines)
	slices.SortStableFunc(sorted, func(a, b line) int { return rank(a.server) - rank(b.server) })
	for _, l := range sorted {
		p.Add(stroke{l, lookOf(l.server, servers)})
	}
	p.Draw(area)
	k.legend(c, lines, servers)
}

func rank(server string) int {
	if server == ours {
		return 1
	}
	return 0
}

// frame sets up axes, their range and their text.
func (k curveKind) frame(lines []line) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = k.x, k.y
	p.X.Tick.Marker, p.Y.Tick.Marker = k.xTicks, evenTicks{}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = faint, faint
		axis.Tick.Length = vg.Points(4)
		axis.Padding = vg.Points(3)
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = ink, ink
		label, tick := words(10.5, false, ink), words(10, false, ink)
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Handler = label.Font, label.Handler
		axis.Tick.Label.Font, axis.Tick.Label.Handler = tick.Font, tick.Handler
		axis.Label.Padding = vg.Points(4)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = rangeOf(lines)
	if k.key == result.LatencyCurve { // up to a whole number of nines
		p.X.Min, p.X.Max = -math.Log10(0.5), math.Ceil(p.X.Max-1e-6)
	}
	if k.logX {
		p.X.Scale = plot.LogScale{}
	}
	if k.logY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decades{}
		p.Y.Min, p.Y.Max = roundDown(p.Y.Min), -roundDown(-p.Y.Max)
	} else if k.withZero {
		p.Y.Min = 0
		p.Y.Max *= 1.06
	}
	if p.X.Max <= p.X.Min {
		p.X.Max = p.X.Min + 1
	}
	if p.Y.Max <= p.Y.Min {
		p.Y.Max = p.Y.Min + 1
	}
	return p
}

// roundDown goes to 1, 2 or 5 times a power of ten; a negative value stands for one to be rounded up.
func roundDown(v float64) float64 {
	up := v < 0
	size := math.Abs(v)
	decade := math.Pow(10, math.Floor(math.Log10(size)))
	steps := []float64{1, 2, 5, 10}
	if up {
		for _, s := range steps {
			if s*decade >= size*(1-1e-9) {
				return -s * decade
			}
		}
	}
	for _, s := range slices.Backward(steps) {
		if s*decade <= size*(1+1e-9) {
			return s * decade
		}
	}
	return v
}

func rangeOf(lines []line) (xMin, xMax, yMin, yMax float64) {
	xMin, yMin = math.Inf(1), math.Inf(1)
	xMax, yMax = math.Inf(-1), math.Inf(-1)
	for _, l := range lines {
		for _, p := range l.points {
			xMin, xMax = min(xMin, p.X), max(xMax, p.X)
			yMin, yMax = min(yMin, p.Y), max(yMax, p.Y)
		}
	}
	return xMin, xMax, yMin, yMax
}

// legend lists the servers at the right of the plot, where no line comes: the one that ends highest first, as the eye meets
// them.
func (k curveKind) legend(c draw.Canvas, lines []line, servers []string) {
	sorted := slices.Clone(lines)
	slices.SortStableFunc(sorted, func(a, b line) int {
		endA, endB := a.points[len(a.points)-1].Y, b.points[len(b.points)-1].Y
		switch {
		case endA > endB:
			return -1
		case endA < endB:
			return 1
		}
		return 0
	})
	x := c.Max.X - vg.Points(keyWidth-10)
	y := c.Max.Y - vg.Points(curveHead+14)
	for _, l := range sorted {
		look := lookOf(l.server, servers)
		c.StrokeLine2(look.line(l.server), x, y, x+vg.Points(26), y)
		c.DrawGlyphNoClip(look.glyph(l.server), vg.Point{X: x + vg.Points(13), Y: y})
		c.FillText(words(10.5, l.server == ours, ink), vg.Point{X: x + vg.Points(32), Y: y}, l.server)
		y -= vg.Points(18)
	}
}

// stroke draws a line with markers here and there.
type stroke struct {
	line
	look look
}

func (s stroke) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	var points []vg.Point
	for _, xy := range s.points {
		points = append(points, vg.Point{X: toX(xy.X), Y: toY(xy.Y)})
	}
	c.StrokeLines(s.look.line(s.server), points)
	step := max(1, (len(points)+markers-1)/markers)
	for i := 0; i < len(points); i += step {
		c.DrawGlyphNoClip(s.look.glyph(s.server), points[i])
	}
}

// grid draws faint lines at the labelled ticks of both axes.
type grid struct{}

func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	thin := draw.LineStyle{Color: faint, Width: vg.Points(0.35)}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if !t.IsMinor() && t.Value >= p.X.Min && t.Value <= p.X.Max {
			c.StrokeLine2(thin, toX(t.Value), c.Min.Y, toX(t.Value), c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if !t.IsMinor() && t.Value >= p.Y.Min && t.Value <= p.Y.Max {
			c.StrokeLine2(thin, c.Min.X, toY(t.Value), c.Max.X, toY(t.Value))
		}
	}
}
