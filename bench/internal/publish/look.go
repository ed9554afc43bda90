package publish

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ours is the server that the ratios and the targets are about; it is drawn thicker than the others.
const ours = "seawall"

// Sentinels: gonum knows one colour for a thing, we want two. The finished SVG has CSS variables in their place, whose
// values depend on the reader's colour scheme (svg.go).
var (
	ink   = color.RGBA{1, 2, 3, 255} // text, axes
	faint = color.RGBA{4, 5, 6, 255} // grid, notes beside the point
)

// look is how a server is drawn, the same in all plots. Hues are those of Okabe and Ito as far as contrast allows; dashes
// and markers tell the servers apart where hues do not.
type look struct {
	colour color.RGBA
	dashes []vg.Length
	marker shape
}

// looks has every server of the peer table. All colours stand out from white and from near-black alike (3:1 and more),
// which a test holds.
var looks = map[string]look{
	ours:        {color.RGBA{0xD5, 0x5E, 0x00, 255}, nil, disc},
	"nginx":     {color.RGBA{0x00, 0x95, 0x6C, 255}, nil, square},
	"haproxy":   {color.RGBA{0x3D, 0x6A, 0xD8, 255}, dashes(6, 2), upward},
	"varnish":   {color.RGBA{0xC2, 0x63, 0x99, 255}, dashes(3, 2), diamond},
	"h2o":       {color.RGBA{0x94, 0x73, 0x1C, 255}, dashes(8, 2, 2, 2), downward},
	"caddy":     {color.RGBA{0x2B, 0x94, 0xC4, 255}, dashes(1.5, 2), saltire},
	"floor":     {color.RGBA{0x80, 0x80, 0x80, 255}, dashes(2, 2), nil},
	"forwarder": {color.RGBA{0x80, 0x80, 0x80, 255}, dashes(2, 2), nil},
}

// strangers are for servers that the table above does not know, in the order of their appearance.
var strangers = []look{
	{color.RGBA{0x8A, 0x63, 0xD2, 255}, dashes(5, 3), square},
	{color.RGBA{0xC8, 0x50, 0x50, 255}, dashes(4, 2, 1, 2), upward},
	{color.RGBA{0x5F, 0x8A, 0x3C, 255}, dashes(2, 3), disc},
}

func dashes(lengths ...float64) []vg.Length {
	var out []vg.Length
	for _, l := range lengths {
		out = append(out, vg.Length(l))
	}
	return out
}

// lookOf gives a server its look; servers has all of the run, so that a stranger keeps its own in every plot.
func lookOf(name string, servers []string) look {
	if l, ok := looks[name]; ok {
		return l
	}
	place := 0
	for _, s := range servers {
		if s == name {
			break
		}
		if _, known := looks[s]; !known {
			place++
		}
	}
	return strangers[place%len(strangers)]
}

func (l look) line(name string) draw.LineStyle {
	width := vg.Points(1.3)
	if name == ours {
		width = vg.Points(2.6)
	}
	return draw.LineStyle{Color: l.colour, Width: width, Dashes: l.dashes}
}

func (l look) glyph(name string) draw.GlyphStyle {
	radius := vg.Points(2.8)
	if name == ours {
		radius = vg.Points(3.4)
	}
	return draw.GlyphStyle{Color: l.colour, Radius: radius, Shape: l.marker}
}

// shape is a marker: the corners of a polygon about the middle, for a radius of 1. It has none where none is to be drawn.
type shape [][2]float64

var (
	square   = shape{{-0.9, -0.9}, {0.9, -0.9}, {0.9, 0.9}, {-0.9, 0.9}}
	upward   = shape{{-1.1, -0.9}, {1.1, -0.9}, {0, 1.2}}
	downward = shape{{-1.1, 0.9}, {1.1, 0.9}, {0, -1.2}}
	diamond  = shape{{0, -1.35}, {1.1, 0}, {0, 1.35}, {-1.1, 0}}
	disc     = shape{{1, 0}, {0.71, 0.71}, {0, 1}, {-0.71, 0.71}, {-1, 0}, {-0.71, -0.71}, {0, -1}, {0.71, -0.71}}
	saltire  = shape{{0, 0.45}, {0.75, 1.2}, {1.2, 0.75}, {0.45, 0}, {1.2, -0.75}, {0.75, -1.2},
		{0, -0.45}, {-0.75, -1.2}, {-1.2, -0.75}, {-0.45, 0}, {-1.2, 0.75}, {-0.75, 1.2}}
)

func (s shape) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	var corners []vg.Point
	for _, corner := range s {
		corners = append(corners, vg.Point{X: at.X + style.Radius*vg.Length(corner[0]), Y: at.Y + style.Radius*vg.Length(corner[1])})
	}
	c.FillPolygon(style.Color, corners)
}
