-- Prints wrk's totals as one line of JSON. It has no per-request function, so that wrk runs none of it while it measures.
done = function(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "seconds": %.6f, ' ..
      '"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d, ' ..
      '"p50_ms": %.3f, "p90_ms": %.3f, "p99_ms": %.3f, "p999_ms": %.3f, "max_ms": %.3f, "curve": [',
      summary.requests, summary.bytes, summary.duration / 1e6,
      e.connect, e.read, e.write, e.timeout, e.status,
      latency:percentile(50) / 1000, latency:percentile(90) / 1000, latency:percentile(99) / 1000,
      latency:percentile(99.9) / 1000, latency.max / 1000))
   local rest = 50
   while rest / 100 * summary.requests >= 1 and rest > 0.001 do
      io.write(string.format('[%.6f, %.3f], ', 100 - rest, latency:percentile(100 - rest) / 1000))
      rest = rest * 0.8298 -- as load_histogram.h has it
   end
   io.write(string.format('[100, %.3f]]}\n', latency.max / 1000))
end
