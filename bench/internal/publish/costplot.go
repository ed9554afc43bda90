package publish

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"seawall/bench/internal/result"
)

// Sizes of the cost plot in points. A panel is one scenario: its name, a bar for each server, an axis.
const (
	costWidth   = 760
	costColumns = 2
	costHead    = 46 // title and key
	costGap     = 18
	panelTitle  = 30
	panelAxis   = 30
	barPitch    = 17
	barHeight   = 11
	nameWidth   = 64 // beside the bars
	valueWidth  = 46 // behind the longest bar
	cutFrom     = 2  // a bar so many times as long as the next is cut
	cutAt       = 1.3
)

// bar is one server's cost in a scenario, in microseconds a request.
type bar struct {
	server       string
	user, system float64
	sum          float64 // drawn when it is not split
	missing      string  // instead of all that
}

// panel is a scenario's part of a cost plot.
type panel struct {
	scenario string
	bars     []bar
	floor    float64 // 0: none
	limit    float64 // right end of the axis; a longer bar is cut
}

// costPicture draws what a request costs in these scenarios; nil when none of them measured that.
func costPicture(run *result.Run, file, title string, scenarios []*result.Scenario) *picture {
	var panels []panel
	for _, sc := range scenarios {
		if p, ok := costPanel(run, sc); ok {
			panels = append(panels, p)
		}
	}
	if len(panels) == 0 {
		return nil
	}
	columns := min(costColumns, len(panels))
	rows := (len(panels) + columns - 1) / columns
	tallest := slices.MaxFunc(panels, func(a, b panel) int { return len(a.bars) - len(b.bars) })
	panelHeight := float64(panelTitle + panelAxis + barPitch*len(tallest.bars))
	height := costHead + float64(rows)*panelHeight + float64(rows-1)*costGap
	servers := serversOf(run)
	body := render(title, costWidth, height, func(c draw.Canvas) {
		costHeader(c, title, panels)
		tiles := draw.Tiles{Cols: columns, Rows: rows, PadTop: costHead, PadX: vg.Points(24), PadY: costGap,
			PadLeft: vg.Points(4), PadRight: vg.Points(4)}
		for i, p := range panels {
			p.draw(tiles.At(c, i%columns, i/columns), servers)
		}
	})
	return &picture{file: file, title: title, body: body}
}

func costPanel(run *result.Run, sc *result.Scenario) (panel, bool) {
	p := panel{scenario: sc.Name}
	if mainMetric(sc) != result.CPU {
		return p, false
	}
	for _, m := range inOrder(run, sc) {
		cpu, ok := figure(m, result.CPU)
		switch {
		case isFloor(run, m.Server):
			p.floor = max(p.floor, cpu.Median)
			continue
		case m.Cannot != "":
			p.bars = append(p.bars, bar{server: m.Server, missing: "cannot"})
			continue
		case !ok:
			p.bars = append(p.bars, bar{server: m.Server, missing: "failed"})
			continue
		}
		b := bar{server: m.Server, sum: cpu.Median}
		user, hasUser := figure(m, result.UserCPU)
		system, hasSystem := figure(m, result.SystemCPU)
		if hasUser && hasSystem && user.Median+system.Median > 0 {
			// Medians of parts do not add up to the median of the sum; the bar's length is the sum's.
			scale := cpu.Median / (user.Median + system.Median)
			b.user, b.system = user.Median*scale, system.Median*scale
		}
		p.bars = append(p.bars, b)
	}
	p.limit = axisEnd(p)
	return p, p.limit > 0
}

// axisEnd is the longest bar, unless that is so long that the others could not be told apart: then it is cut.
func axisEnd(p panel) float64 {
	longest, next := p.floor, 0.0
	for _, b := range p.bars {
		if b.sum > longest {
			longest, next = b.sum, longest
		} else {
			next = max(next, b.sum)
		}
	}
	if next > 0 && longest > cutFrom*next {
		return next * cutAt
	}
	return longest
}

func (p panel) isCut() bool {
	return slices.ContainsFunc(p.bars, func(b bar) bool { return b.sum > p.limit })
}

func costHeader(c draw.Canvas, title string, panels []panel) {
	top := c.Max.Y - vg.Points(12)
	c.FillText(words(13, true, ink), vg.Point{X: c.Min.X + vg.Points(4), Y: top}, title)
	y := top - vg.Points(19)
	x := c.Min.X + vg.Points(4)
	small := words(10, false, ink)
	item := func(label string, draw func(x vg.Length)) {
		draw(x)
		x += vg.Points(26)
		c.FillText(small, vg.Point{X: x, Y: y}, label)
		x += small.Width(label) + vg.Points(20)
	}
	item("user time", func(x vg.Length) { solid(c, sample, x, y, vg.Points(20), barHeight) })
	item("system time", func(x vg.Length) { pale(c, sample, x, y, vg.Points(20), barHeight) })
	if slices.ContainsFunc(panels, func(p panel) bool { return p.floor > 0 }) {
		item("floor: a bare event loop in C", func(x vg.Length) {
			c.StrokeLine2(floorLine, x, y, x+vg.Points(20), y)
		})
	}
	if slices.ContainsFunc(panels, panel.isCut) {
		item("bar cut: see its figure", func(x vg.Length) { cut(c, x+vg.Points(10), y) })
	}
}

// sample is the colour of the key: that of no server, and seen on both grounds.
var sample = color.RGBA{0x80, 0x80, 0x80, 255}

var floorLine = draw.LineStyle{Color: ink, Width: vg.Points(1.2), Dashes: dashes(3, 2)}

func (p panel) draw(c draw.Canvas, servers []string) {
	left := c.Min.X + vg.Points(nameWidth)
	right := c.Max.X - vg.Points(valueWidth)
	at := func(v float64) vg.Length { return left + vg.Length(v/p.limit)*(right-left) }
	c.FillText(words(11, true, ink), vg.Point{X: left, Y: c.Max.Y - vg.Points(8)}, p.scenario)
	top := c.Max.Y - vg.Points(panelTitle)
	bottom := top - vg.Points(float64(barPitch*len(p.bars)))
	p.axis(c, at, left, bottom)
	for i, b := range p.bars {
		y := top - vg.Points(barPitch*(float64(i)+0.5))
		main := b.server == ours
		c.FillText(aligned(words(10, main, ink), draw.XRight, draw.YCenter), vg.Point{X: left - vg.Points(7), Y: y}, b.server)
		if b.missing != "" {
			c.FillText(words(9, false, ink), vg.Point{X: left + vg.Points(4), Y: y}, b.missing)
			continue
		}
		end := at(min(b.sum, p.limit))
		b.draw(c, lookOf(b.server, servers).colour, left, min(at(b.user), end), end, y)
		if b.sum > p.limit {
			cut(c, end-vg.Points(16), y)
		}
		value := end + vg.Points(5)
		if line := at(p.floor); p.floor > 0 && line > end && line < value+vg.Points(28) {
			value = line + vg.Points(5) // the floor's line does not cross it
		}
		c.FillText(words(10, main, ink), vg.Point{X: value, Y: y}, number(b.sum))
	}
	if p.floor > 0 {
		c.StrokeLine2(floorLine, at(p.floor), bottom, at(p.floor), top+vg.Points(2))
		label := "floor " + number(p.floor)
		style := aligned(words(9, false, ink), draw.XCenter, draw.YBottom)
		half := style.Width(label) / 2
		x := min(at(p.floor), c.Max.X-half)
		c.FillText(style, vg.Point{X: x, Y: top + vg.Points(3)}, label)
	}
}

// draw fills the bar from left to end; user is where its first part ends.
func (b bar) draw(c draw.Canvas, colour color.RGBA, left, user, end, y vg.Length) {
	if b.user+b.system == 0 {
		solid(c, colour, left, y, end-left, barHeight)
		return
	}
	solid(c, colour, left, y, user-left, barHeight)
	if end > user {
		pale(c, colour, user, y, end-user, barHeight)
	}
}

// cut marks a bar that goes on beyond the axis: two strokes across it.
func cut(c draw.Canvas, x, y vg.Length) {
	stroke := draw.LineStyle{Color: ink, Width: vg.Points(1.2)}
	for _, shift := range []vg.Length{0, vg.Points(4)} {
		c.StrokeLine2(stroke, x+shift-vg.Points(2.5), y-vg.Points(8), x+shift+vg.Points(2.5), y+vg.Points(8))
	}
}

// axis draws the line, the ticks and the unit below the bars.
func (p panel) axis(c draw.Canvas, at func(float64) vg.Length, left, bottom vg.Length) {
	thin := draw.LineStyle{Color: faint, Width: vg.Points(0.6)}
	c.StrokeLine2(thin, left, bottom, at(p.limit), bottom)
	small := aligned(words(9, false, ink), draw.XCenter, draw.YTop)
	for _, t := range (evenTicks{}).Ticks(0, p.limit) {
		c.StrokeLine2(thin, at(t.Value), bottom, at(t.Value), bottom-vg.Points(3))
		c.FillText(small, vg.Point{X: at(t.Value), Y: bottom - vg.Points(4)}, t.Label)
	}
	c.FillText(aligned(words(9, false, ink), draw.XLeft, draw.YTop), vg.Point{X: left, Y: bottom - vg.Points(15)},
		"CPU of the server, µs per request")
}

// solid and pale fill a bar whose middle has the height y; pale has an outline, so that it can be told from the ground.
func solid(c draw.Canvas, colour color.RGBA, x, y, width, height vg.Length) {
	c.FillPolygon(colour, box(x, y, width, height))
}

func pale(c draw.Canvas, colour color.RGBA, x, y, width, height vg.Length) {
	c.FillPolygon(color.NRGBA{colour.R, colour.G, colour.B, 0x55}, box(x, y, width, height))
	edge := vg.Points(0.8)
	line := draw.LineStyle{Color: colour, Width: edge}
	outline := box(x+edge/2, y, max(width-edge, 0), height-edge)
	c.StrokeLines(line, append(outline, outline[0]))
}

func box(x, y, width, height vg.Length) []vg.Point {
	return []vg.Point{
		{X: x, Y: y - height/2}, {X: x + width, Y: y - height/2},
		{X: x + width, Y: y + height/2}, {X: x, Y: y + height/2},
	}
}
