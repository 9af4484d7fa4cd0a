-- SPDX-License-Identifier: Apache-2.0
-- For wrk: asks for a list of targets in turn, or for windows that nobody asked for before, and counts each status.
--   wrk ... -s flip.lua URL -- PACE TARGET ...      the targets
--   wrk ... -s flip.lua URL -- PACE missing SEED    windows of so many minutes, from the seed on
-- PACE is "paced", for a pause before each request, or "full-speed".
-- Ends with a line "statuses 200=N 503=N", "other" first if there was one that is neither.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  threads[#threads + 1] = thread
end

function init(arguments)
  answered, unavailable, other, sent = 0, 0, 0, 0
  targets = {}
  if table.remove(arguments, 1) == "full-speed" then
    delay = nil
  end
  if arguments[1] ~= "missing" then
    for _, target in ipairs(arguments) do
      targets[#targets + 1] = wrk.format("GET", target)
    end
  else
    minute = tonumber(arguments[2]) + number * 200000
  end
end

-- 15 ms on average: what is measured is how long answers take, not how many fit.
function delay()
  return math.random(0, 30)
end

function request()
  sent = sent + 1
  if #targets > 0 then
    return targets[sent % #targets + 1]
  end
  local view = sent % 2 == 0 and "namespaces" or "pods"
  return wrk.format("GET", "/api/v1/cost/" .. view .. "?window=" .. (minute + sent) % 500000 + 1 .. "m")
end

function response(status)
  if status == 200 then
    answered = answered + 1
  elseif status == 503 then
    unavailable = unavailable + 1
  else
    other = status
  end
end

function done()
  local ok, busy, odd = 0, 0, 0
  for _, thread in ipairs(threads) do
    ok = ok + thread:get("answered")
    busy = busy + thread:get("unavailable")
    odd = math.max(odd, thread:get("other"))
  end
  io.write(string.format("statuses %s200=%d 503=%d\n", odd ~= 0 and ("other=" .. odd .. " ") or "", ok, busy))
end
