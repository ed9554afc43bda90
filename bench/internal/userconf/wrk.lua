-- Asks for the requests of a list in the order of a sequence, over and over; each thread begins elsewhere. Prints wrk's
-- totals as one line of JSON. The tables requests and sequence stand before this text.
local threads = 0
function setup(thread)
   thread:set("begin", threads)
   threads = threads + 1
end

if #requests == 1 then
   -- A request function costs wrk much; without one it takes what wrk.format makes once.
   wrk.format = function() return requests[1] end
else
   local n, i = #sequence, 0
   function init()
      i = (begin * 97) % n
   end

   function request()
      i = i % n + 1
      return requests[sequence[i]]
   end
end

function done(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "us": %d, "refused": %d, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f}\n',
      summary.requests, summary.bytes, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
