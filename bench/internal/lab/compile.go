//go:build linux

package lab

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

//go:embed keeper.c
var keeperSource string

// compilation is done by the first who asks for it; the others wait for that.
type compilation struct {
	once sync.Once
	err  error
}

// Compile turns one C file's text into a program in Dir, once for each name and text, and returns the program's path.
func (l *Lab) Compile(name, source string) (binary string, err error) {
	binary = filepath.Join(l.Dir, fmt.Sprintf("%s-%.4x", name, sha256.Sum256([]byte(source))))
	value, _ := l.compiled.LoadOrStore(binary, new(compilation))
	c := value.(*compilation)
	c.once.Do(func() { c.err = l.compile(name, source, binary) })
	return binary, c.err
}

func (l *Lab) compile(name, source, binary string) error {
	compiler, ok := "", false
	for _, program := range []string{"cc", "gcc", "clang"} {
		if compiler, ok = Find(program); ok {
			break
		}
	}
	if !ok {
		return fmt.Errorf("compiling %s.c: there is no C compiler; Debian, Ubuntu: apt-get install gcc libc6-dev", name)
	}
	path := binary + ".c"
	if err := os.WriteFile(path, []byte(source), 0o644); err != nil {
		return err
	}
	text, err := exec.CommandContext(l.ctx, compiler, "-O2", "-Wall", "-o", binary, path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("compiling %s.c: %w\n%s", name, err, text)
	}
	return nil
}
