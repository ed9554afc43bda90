package publish

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// madeBy stands in every file that this package makes; only files that have it are ever removed.
const madeBy = "made by `go run ./bench report`"

// The stylesheet of every plot. Liberation Sans has the widths that the text was laid out with, and Arial and Helvetica
// share them. An SVG shown as an image follows the reader's colour scheme by itself.
const styleSheet = `<style>
:root{--ink:#24292f;--faint:#8c959f}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--faint:#6e7681}}
text{font-family:"Liberation Sans",Arial,Helvetica,sans-serif}
</style>
`

var (
	svgOpening = regexp.MustCompile(`(?s)^<\?xml.*?<svg ([^>]*)>\n`)
	fontOf     = regexp.MustCompile(`font-family:[^;"]*;font-variant:[^;"]*;font-weight:([a-z0-9]+);font-style:[a-z]+;?`)
)

// picture is one SVG file to be.
type picture struct {
	file  string // name in the directory of plots
	title string // for readers that do not see it; also the text of the link
	body  []byte
}

// render draws on a canvas of the size given, in points, and returns the SVG. Its background is transparent, its text is
// text, and the same drawing gives the same bytes.
func render(title string, width, height float64, paint func(draw.Canvas)) []byte {
	canvas := vgsvg.NewWith(vgsvg.UseWH(vg.Points(width), vg.Points(height)))
	paint(draw.New(canvas))
	var raw bytes.Buffer
	if _, err := canvas.WriteTo(&raw); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return bothSchemes(raw.Bytes(), title, width, height)
}

// bothSchemes puts CSS variables in the place of the sentinel colours and the style sheet into the head.
func bothSchemes(svg []byte, title string, width, height float64) []byte {
	head := fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\" role=\"img\">\n"+
		"<!-- %s -->\n<title>%s</title>\n%s", width, height, width, height, madeBy, escape(title), styleSheet)
	text := svgOpening.ReplaceAllLiteralString(string(svg), head)
	text = fontOf.ReplaceAllString(text, "font-weight:$1;")
	text = strings.NewReplacer(
		"font-weight:normal;", "",
		"#010203", "var(--ink)",
		"#040506", "var(--faint)",
		"\n\tstyle=", " style=",
	).Replace(text)
	return []byte(withAnchors(text))
}

func escape(s string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(s)) // a bytes.Buffer takes everything
	return out.String()
}
