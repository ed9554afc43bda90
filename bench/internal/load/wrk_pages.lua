-- Several pages, or a query of its own for each request. The bench puts before this: pages, a list of {method, path, body,
-- separator}, in the order in which they are asked for, where a separator ("?" or "&") wants a query; run, a string that
-- no other run has.
local threads = 0
function setup(thread)
   thread:set("thread_number", threads)
   threads = threads + 1
end

local ready, rest, turn, made = {}, {}, 0, 0

function init()
   for i, p in ipairs(pages) do
      if p[4] then
         local request = wrk.format(p[1], p[2] .. p[4] .. "n=\1", nil, p[3])
         local at = request:find("\1", 1, true)
         ready[i], rest[i] = request:sub(1, at - 1) .. run .. "." .. thread_number .. ".", request:sub(at + 1)
      else
         ready[i] = wrk.format(p[1], p[2], nil, p[3])
      end
   end
end

function request()
   turn = turn % #ready + 1
   if not rest[turn] then return ready[turn] end
   made = made + 1
   return ready[turn] .. made .. rest[turn]
end
