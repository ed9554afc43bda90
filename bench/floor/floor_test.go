package floor

import (
	"io/fs"
	"strings"
	"testing"
)

func TestSourcesHaveNoIncludeOfOurOwnLeft(t *testing.T) {
	names, err := fs.Glob(Sources, "*.c")
	if err != nil || len(names) < 3 {
		t.Fatalf("got %v, %v", names, err)
	}
	for _, name := range names {
		if text := Source(name); strings.Contains(text, `#include "`) || !strings.Contains(text, "int main(") {
			t.Errorf("%s is not whole", name)
		}
	}
}
