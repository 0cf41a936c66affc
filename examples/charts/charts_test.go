package charts

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func labels() Labels { return Labels{Title: "Title of it", X: "time (weeks)", Y: "value (USD)"} }

// TestEveryChart draws each kind and reads it back: a PNG of some size and well-formed SVG with its words.
func TestEveryChart(t *testing.T) {
	points := Points{{X: 0, Y: 1}, {X: 1, Y: 3}, {X: 2, Y: 2}}
	grid := Grid{X: []float64{1, 2}, Y: []float64{1, 2, 3}, Z: [][]float64{{0, 1}, {0.5, math.NaN()}, {0.2, 0.3}}}
	for name, draw := range map[string]func() (Chart, error){
		"lines": func() (Chart, error) {
			return Lines(labels(), []Series{{Name: "one", Points: points, Low: []float64{0, 1, 1}, High: []float64{2, 4, 3}},
				{Name: "two", Points: points, Dashed: true}}, Mark{X: 1, Word: "now"})
		},
		"histogram": func() (Chart, error) { return Histogram(labels(), []float64{1, 2, 2, 3}, 3) },
		"heat":      func() (Chart, error) { return HeatMap(labels(), "share", grid, 0, 1) },
		"bars":      func() (Chart, error) { return Bars(labels(), []Bar{{"a", 1}, {"b", -2}}) },
		"waterfall": func() (Chart, error) {
			return Waterfall(labels(), []Bar{{"start", 5}, {"new", 3}, {"lost", -2}, {"end", 6}})
		},
		"ranked": func() (Chart, error) {
			return Ranked(labels(), []string{"p", "q"}, []Rank{{Name: "a", Parts: []float64{1, 2}, Low: 2, High: 4}, {Name: "b", Start: 1, Parts: []float64{-2}, Color: 1}})
		},
		"lorenz": func() (Chart, error) { return Lorenz(labels(), Points{{X: 0, Y: 0}, {X: 0.5, Y: 0.1}, {X: 1, Y: 1}}) },
	} {
		c, err := draw()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		dir := t.TempDir()
		if err := c.Save(dir, name); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(filepath.Join(dir, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(f)
		if err != nil || picture.Bounds().Dx() < 500 {
			t.Errorf("%s: %v with error %v", name, picture, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		small, err := c.PNG()
		if err != nil || !bytes.HasPrefix(small, []byte("\x89PNG")) {
			t.Errorf("%s: %d bytes of PNG with error %v", name, len(small), err)
		}
		svg, err := c.SVG()
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, word := range []string{"Title of it", "weeks", "USD"} {
			if !strings.Contains(string(svg), word) {
				t.Errorf("%s: the picture does not say %q", name, word)
			}
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 2 {
			t.Errorf("%s: %v with error %v, want two files and no part of one", name, entries, err)
		}
	}
}

func TestNothingToDraw(t *testing.T) {
	for name, draw := range map[string]func() (Chart, error){
		"lines":     func() (Chart, error) { return Lines(labels(), []Series{{Name: "none"}}) },
		"histogram": func() (Chart, error) { return Histogram(labels(), nil, 3) },
		"heat":      func() (Chart, error) { return HeatMap(labels(), "share", Grid{}, 0, 1) },
		"bars":      func() (Chart, error) { return Bars(labels(), nil) },
		"waterfall": func() (Chart, error) { return Waterfall(labels(), []Bar{{"alone", 1}}) },
		"ranked":    func() (Chart, error) { return Ranked(labels(), nil, nil) },
	} {
		if _, err := draw(); err == nil || !strings.HasPrefix(err.Error(), "charts: Title of it: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestClearest holds that the legend goes where no line does, and to the top left if all corners are alike.
func TestClearest(t *testing.T) {
	up, down := Points{}, Points{}
	for i := range 21 {
		x := float64(i)
		up, down = append(up, Point{X: x, Y: x * x}), append(down, Point{X: x, Y: 1 / (1 + x)})
	}
	for _, c := range []struct {
		name   string
		series []Series
		want   Corner
	}{
		{"rising", []Series{{Points: up}}, TopLeft},
		{"falling", []Series{{Points: down}}, TopRight},
		{"flat", []Series{{Points: Points{{X: 0, Y: 1}, {X: 1, Y: 1}}}}, TopLeft},
		{"one point", []Series{{Points: Points{{X: 1, Y: 1}}}}, TopLeft},
		{"both on top", []Series{{Points: Points{{X: 0, Y: 9}, {X: 4, Y: 9}, {X: 10, Y: 9}}}, {Points: Points{{X: 0, Y: 0}, {X: 1, Y: 0}}}}, BottomRight},
	} {
		if got := clearest(c.series); got != c.want {
			t.Errorf("%s: corner %d, want %d", c.name, got, c.want)
		}
	}
}

// TestWriteFileLeavesNoPart fails in the middle of the content.
func TestWriteFileLeavesNoPart(t *testing.T) {
	dir := t.TempDir()
	if err := WriteFile(filepath.Join(dir, "a.txt"), failing{}); err == nil {
		t.Error("no error")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("%v with error %v remain", entries, err)
	}
}

type failing struct{}

func (failing) WriteTo(w io.Writer) (int64, error) {
	n, _ := io.WriteString(w, "half")
	return int64(n), errors.New("the disk is full")
}
