package logs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func openTest(t *testing.T, b Buffering) (*Registry, *File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "access.log")
	r := NewRegistry(Options{})
	t.Cleanup(r.Close)
	f, err := r.Open(path, b)
	if err != nil {
		t.Fatal(err)
	}
	return r, f, path
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// waitFor polls until cond holds: the writer is another goroutine, and only its deadline is part of the contract.
func waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("not within 5 s: %s", what)
}

func TestUnbufferedLineReachesTheFileByItself(t *testing.T) {
	_, f, path := openTest(t, Buffering{})
	f.NewAppender().Append([]byte("one\n"))
	waitFor(t, "the line in the file", func() bool { return content(t, path) == "one\n" })
}

func TestFlushTimeWritesABufferThatIsNotFull(t *testing.T) {
	_, f, path := openTest(t, Buffering{Size: 1 << 20, Flush: 20 * time.Millisecond})
	a := f.NewAppender()
	for _, line := range []string{"one\n", "two\n"} {
		a.Append([]byte(line))
		waitFor(t, line, func() bool { return strings.HasSuffix(content(t, path), line) })
	}
}

func TestWithoutFlushTimeOnlyFullBuffersAreWritten(t *testing.T) {
	_, f, path := openTest(t, Buffering{Size: 64})
	a := f.NewAppender()
	line := []byte(strings.Repeat("x", 39) + "\n")
	a.Append(line)
	f.do(func() {}) // the writer has had its chance
	if got := content(t, path); got != "" {
		t.Fatalf("written before the buffer was full: %q", got)
	}
	a.Append(line) // does not fit: the first one goes
	waitFor(t, "the first line", func() bool { return content(t, path) == string(line) })
}

func TestLineLargerThanTheBufferIsWrittenWhole(t *testing.T) {
	_, f, path := openTest(t, Buffering{Size: 16})
	a := f.NewAppender()
	long := strings.Repeat("y", 1000) + "\n"
	a.Append([]byte("short\n"))
	a.Append([]byte(long))
	a.Append([]byte("short\n"))
	f.Flush()
	if got, want := content(t, path), "short\n"+long+"short\n"; got != want {
		t.Fatalf("got %q", got)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	_, f, _ := openTest(t, Buffering{Size: 4096})
	a := f.NewAppender()
	line := []byte(strings.Repeat("z", 149) + "\n")
	if n := testing.AllocsPerRun(5000, func() { a.Append(line) }); n != 0 {
		t.Fatalf("%v allocations per line", n)
	}
}

// producers append lines "producer number\n" until stop is closed and return how many each wrote.
func producers(f *File, n int, stop <-chan struct{}) []int {
	counts := make([]int, n)
	var wg sync.WaitGroup
	for p := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a := f.NewAppender()
			defer a.Release()
			var line []byte
			for i := 0; ; i++ {
				select {
				case <-stop:
					counts[p] = i
					return
				default:
				}
				line = fmt.Appendf(line[:0], "%d %d\n", p, i)
				a.Append(line)
				if i%100 == 99 {
					time.Sleep(100 * time.Microsecond) // a load that any disk keeps up with
				}
			}
		}()
	}
	wg.Wait()
	return counts
}

// checkLines requires that text holds each producer's lines 0..counts[p]-1, in order, and nothing else.
func checkLines(t *testing.T, text string, counts []int) {
	t.Helper()
	next := make([]int, len(counts))
	for line := range strings.Lines(text) {
		var p, i int
		if _, err := fmt.Sscanf(line, "%d %d\n", &p, &i); err != nil {
			t.Fatalf("torn line %q: %v", line, err)
		}
		if i != next[p] {
			t.Fatalf("producer %d: line %d where %d was due", p, i, next[p])
		}
		next[p]++
	}
	for p, n := range counts {
		if next[p] != n {
			t.Errorf("producer %d: %d lines of %d", p, next[p], n)
		}
	}
}

func TestReopenUnderLoadLosesNoLineAndKeepsTheOrder(t *testing.T) {
	for _, b := range []Buffering{{Size: 2048, Flush: 5 * time.Millisecond}, {Size: 512}, {}, {Immediate: true}} {
		t.Run(fmt.Sprintf("%+v", b), func(t *testing.T) {
			r, f, path := openTest(t, b)
			stop := make(chan struct{})
			finished := make(chan []int)
			go func() { finished <- producers(f, 3, stop) }()
			const rotations = 20
			for i := range rotations {
				time.Sleep(2 * time.Millisecond)
				if err := os.Rename(path, path+"."+strconv.Itoa(i)); err != nil {
					t.Fatal(err)
				}
				if err := r.Reopen(); err != nil {
					t.Fatal(err)
				}
			}
			close(stop)
			counts := <-finished
			f.Flush()
			var all strings.Builder
			for i := range rotations {
				all.WriteString(content(t, path+"."+strconv.Itoa(i)))
			}
			all.WriteString(content(t, path))
			if f.Dropped() != 0 {
				t.Fatalf("%d dropped", f.Dropped())
			}
			checkLines(t, all.String(), counts)
		})
	}
}

func TestReopenKeepsTheOldFileWhenTheNewDoesNotOpen(t *testing.T) {
	r, f, path := openTest(t, Buffering{})
	dir := filepath.Dir(path)
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := r.Reopen()
	want := fmt.Sprintf("open() %q failed (20: Not a directory)", path)
	if err == nil || err.Error() != want {
		t.Fatalf("got %v, want %s", err, want)
	}
	f.NewAppender().Append([]byte("still here\n"))
	f.Flush()
	if got := content(t, filepath.Join(dir+"-away", "access.log")); got != "still here\n" {
		t.Fatalf("got %q", got)
	}
}

// TestStuckDiskNeverBlocksAProducer logs to a named pipe that nobody reads: memory stays bounded, losses are counted and
// reported once the pipe moves.
func TestStuckDiskNeverBlocksAProducer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reports lockedBuffer
	r := NewRegistry(Options{Report: func(_ Level, text string) { reports.add(text) }})
	f, err := r.Open(path, Buffering{Size: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	a := f.NewAppender()
	line := bytes.Repeat([]byte("q"), 1023)
	line = append(line, '\n')
	const lines = 20 << 10 // 20 MB, bound 8 MB
	for range lines {
		a.Append(line)
	}
	if f.Dropped() == 0 || f.Dropped() == lines {
		t.Fatalf("%d of %d lines dropped", f.Dropped(), lines)
	}
	read := make(chan int)
	go func() {
		total, p := 0, make([]byte, 1<<16)
		for {
			n, err := reader.Read(p)
			total += n
			if err != nil || bytes.HasSuffix(p[:n], []byte("end\n")) {
				read <- total
				return
			}
		}
	}()
	f.Flush()
	a.Append([]byte("end\n"))
	r.Close()
	got := <-read
	if want := (lines-int(f.Dropped()))*1024 + 4; got != want {
		t.Errorf("%d bytes arrived, want %d", got, want)
	}
	if want := fmt.Sprintf("%d log lines for %q dropped", f.Dropped(), path); !strings.Contains(reports.String(), want) {
		t.Errorf("reports %q lack %q", reports.String(), want)
	}
}

func TestFullDiskIsReportedOnce(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Logf("no /dev/full here: %v", err)
		return
	}
	var reports lockedBuffer
	r := NewRegistry(Options{Report: func(l Level, text string) { reports.add(l.String() + " " + text) }})
	f, err := r.Open("/dev/full", Buffering{})
	if err != nil {
		t.Fatal(err)
	}
	a := f.NewAppender()
	for range 3 {
		a.Append([]byte("x\n"))
		f.Flush()
	}
	r.Close()
	if got, want := reports.String(), "alert write() to \"/dev/full\" failed (28: No space left on device)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if f.Dropped() != 3 {
		t.Errorf("%d dropped, want 3", f.Dropped())
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.WriteString(text + "\n")
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func BenchmarkAppend(b *testing.B) {
	r := NewRegistry(Options{})
	defer r.Close()
	f, err := r.Open("/dev/null", Buffering{Size: 32 << 10, Flush: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	a := f.NewAppender()
	line := []byte(strings.Repeat("x", 149) + "\n")
	b.ReportAllocs()
	for b.Loop() {
		a.Append(line)
	}
}
