-- Prints wrk's totals as one line of JSON. It has no per-request function, so that wrk runs none of it while it measures.
done = function(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
      summary.requests, summary.bytes, e.connect + e.read + e.write + e.status + e.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
