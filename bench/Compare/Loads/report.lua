-- One line for the tool instead of wrk's rounded words for people: requests, microseconds, five kinds of errors, three latencies in
-- microseconds.
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("bench %d %d %d %d %d %d %d %d %d %d\n", summary.requests, summary.duration, e.connect, e.read, e.write,
    e.status, e.timeout, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
