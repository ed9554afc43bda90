//go:build linux

package peer

import (
	"embed"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// configurations are templates for a Site.
//
//go:embed conf
var configurations embed.FS

// render returns the named configurations written for a site, by name.
func render(s Site, names ...string) (map[string]string, error) {
	texts := map[string]string{}
	for _, name := range names {
		t, err := template.ParseFS(configurations, "conf/"+name)
		if err != nil {
			return nil, err
		}
		var text strings.Builder
		if err := t.Execute(&text, s); err != nil {
			return nil, err
		}
		texts[name] = text.String()
	}
	return texts, nil
}

// StaticFiles are the files that servers with Static serve below /static/: their names and sizes in bytes.
var StaticFiles = map[string]int{"1k.txt": 1 << 10, "10k.txt": 10 << 10, "100k.txt": 100 << 10, "1m.txt": 1 << 20}

// WriteFiles writes the static files into a directory, which it makes.
func WriteFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, size := range StaticFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(alphabet(size)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// alphabet is the body that all servers answer with: byte i is 'a' + i%26.
func alphabet(size int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return strings.Repeat(letters, size/len(letters)+1)[:size]
}
