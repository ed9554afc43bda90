package conf

import (
	"testing"
	"time"
)

func TestUpstreamQueue(t *testing.T) {
	c := loadHTTP(t, `upstream a { server 127.0.0.1:1 max_conns=2; queue 100 timeout=70ms; }
upstream b { server 127.0.0.1:1; queue 5; }
upstream c { server 127.0.0.1:1; }`)
	for name, want := range map[string]struct {
		size    int
		timeout time.Duration
	}{"a": {100, 70 * time.Millisecond}, "b": {5, time.Minute}, "c": {0, 0}} {
		if up := c.HTTP.UpstreamByName[name]; up.QueueSize != want.size || up.QueueTimeout != want.timeout {
			t.Errorf("%s: queue %d timeout %v, want %v", name, up.QueueSize, up.QueueTimeout, want)
		}
	}
	for _, bad := range []string{"queue 0;", "queue x;", "queue 1 2;", "queue 1 timeout=x;"} {
		if err := loadError(t, "http { upstream a { server 127.0.0.1:1; "+bad+" } }"); err == nil || err.Line == 0 {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
