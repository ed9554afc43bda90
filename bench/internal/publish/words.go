package publish

import (
	"image/color"
	"regexp"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// words is the style of a text; size in points.
func words(size float64, bold bool, colour color.Color) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
	if bold {
		f.Weight = stdfont.WeightBold
	}
	return text.Style{Color: colour, Font: f, YAlign: draw.YCenter, Handler: anchored{plot.DefaultTextHandler}}
}

// aligned is the same style with other alignment.
func aligned(s text.Style, x text.XAlignment, y text.YAlignment) text.Style {
	s.XAlign, s.YAlign = x, y
	return s
}

// Marks before a text say where its anchor is; they are of Unicode's private use, and the finished SVG has none of them.
const (
	middleMark = "\uE000"
	endMark    = "\uE001"
)

var (
	middleText = regexp.MustCompile(`<text ([^>]*)>` + middleMark)
	endText    = regexp.MustCompile(`<text ([^>]*)>` + endMark)
)

// anchored leaves the alignment of a text to whoever shows it. gonum works out the left end with the widths of its own
// font, and with another one, text that is aligned at its right end would run into what is beside it.
type anchored struct{ text.Handler }

func (a anchored) Draw(c vg.Canvas, txt string, style text.Style, at vg.Point) {
	switch style.XAlign {
	case draw.XCenter:
		txt = middleMark + txt
	case draw.XRight:
		txt = endMark + txt
	}
	style.XAlign = draw.XLeft
	a.Handler.Draw(c, txt, style, at)
}

// withAnchors turns the marks into attributes.
func withAnchors(svg string) string {
	svg = middleText.ReplaceAllString(svg, `<text text-anchor="middle" $1>`)
	return endText.ReplaceAllString(svg, `<text text-anchor="end" $1>`)
}
