package publish

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/color"
	"io"
	"math"
	"strings"
	"testing"

	"seawall/bench/internal/result"
)

func TestPlotsAreWellFormedAndForBothSchemes(t *testing.T) {
	pictures := drawAll(synthetic(8)).all()
	if len(pictures) < 15 {
		t.Fatalf("only %d plots", len(pictures))
	}
	for _, p := range pictures {
		in := xml.NewDecoder(bytes.NewReader(p.body))
		for {
			if _, err := in.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", p.file, err)
			}
		}
		svg := string(p.body)
		for _, want := range []string{"prefers-color-scheme:dark", "var(--ink)", "<text ", "sans-serif", "<title>" + p.title + "</title>", madeBy} {
			if !strings.Contains(svg, want) {
				t.Errorf("%s has no %q", p.file, want)
			}
		}
		for _, unwanted := range []string{"NaN", "Inf", middleMark, endMark, "#010203", "#040506", "#FFFFFF", "font-style", "font-variant"} {
			if strings.Contains(svg, unwanted) {
				t.Errorf("%s has %q", p.file, unwanted)
			}
		}
		if len(p.body) > 64<<10 {
			t.Errorf("%s has %d bytes", p.file, len(p.body))
		}
	}
}

func TestPlotsNameEveryServer(t *testing.T) {
	run := synthetic(8)
	g := drawAll(run)
	for _, p := range append(g.curves["memory"], g.overview) {
		for _, name := range []string{"nginx", ours, "haproxy", "varnish", "h2o", "caddy"} {
			if !strings.Contains(string(p.body), ">"+name+"<") {
				t.Errorf("%s does not name %s", p.file, name)
			}
		}
	}
	if !strings.Contains(string(g.cost["static"].body), ">cannot<") {
		t.Error("a server that cannot serve files is not shown as such")
	}
}

// TestColoursStandOut holds every series to the contrast that WCAG asks for graphics, on GitHub's white and its near-black.
func TestColoursStandOut(t *testing.T) {
	white, dark := color.RGBA{255, 255, 255, 255}, color.RGBA{0x0d, 0x11, 0x17, 255}
	seen := map[color.RGBA]string{}
	check := func(name string, l look) {
		for _, ground := range []color.RGBA{white, dark} {
			if c := contrast(l.colour, ground); c < 3 {
				t.Errorf("%s: contrast %.2f against %v", name, c, ground)
			}
		}
		if other, twice := seen[l.colour]; twice && name != "forwarder" && name != "floor" {
			t.Errorf("%s has the colour of %s", name, other)
		}
		seen[l.colour] = name
	}
	for name, l := range looks {
		check(name, l)
	}
	for _, l := range strangers {
		check("stranger", l)
	}
	if lookOf("b", []string{"nginx", "a", "b"}).colour == lookOf("a", []string{"nginx", "a", "b"}).colour {
		t.Error("two strangers look the same")
	}
}

func contrast(a, b color.RGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func TestCurveIsTheMedianOfRounds(t *testing.T) {
	round := func(points ...result.Point) result.Round {
		return result.Round{Curves: map[string][]result.Point{result.RateCurve: points}}
	}
	got := curve(&result.Measured{Rounds: []result.Round{
		round(result.Point{X: 10, Y: 5}, result.Point{X: 1, Y: 1}),
		round(result.Point{X: 1, Y: 3}, result.Point{X: 10, Y: math.NaN()}),
		round(result.Point{X: 1, Y: 2}, result.Point{X: 10, Y: 7}, result.Point{X: 20, Y: 9}),
	}}, result.RateCurve)
	want := []result.Point{{X: 1, Y: 2}, {X: 10, Y: 6}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLongBarIsCut(t *testing.T) {
	p := panel{floor: 5, bars: []bar{{sum: 10}, {sum: 40}, {sum: 8}}}
	if end := axisEnd(p); end != 13 {
		t.Errorf("the axis ends at %v", end)
	}
	p.bars[1].sum = 15
	if end := axisEnd(p); end != 15 {
		t.Errorf("with bars of a like length, the axis ends at %v", end)
	}
}

func TestEvenTicks(t *testing.T) {
	for _, high := range []float64{0.013, 1, 7, 13.2, 40, 99, 131072} {
		ticks := evenTicks{}.Ticks(0, high)
		if len(ticks) < 3 || len(ticks) > 7 {
			t.Errorf("%d ticks up to %v", len(ticks), high)
		}
		if ticks[0].Label != "0" {
			t.Errorf("the first tick up to %v is %s", high, ticks[0].Label)
		}
	}
}
