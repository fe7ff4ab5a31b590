import { foreignStateCode } from './fault.ts'

/**
 * The limiter's arithmetic as Redis runs it, the same as that of the memory store; a test drives both.
 *
 * ARGV: `take`, `refund` or `add`; the moment, or nothing for that of Redis; how long a bucket outlives its use; then
 * for each key its kind, its bound, its interval or window in ms, and the cost. The reply to `take` is 1 or 0, and for
 * each key what remains and how long it waits.
 *
 * The traps: Lua's numbers are doubles, and `tostring` gives 14 digits of them, so they are written with 17. Everything
 * is read and decided before anything is written, because a script that fails half-way is not undone.
 */
export const bucketsSource: string = `
local kind, given, slack = ARGV[1], ARGV[2], tonumber(ARGV[3])
local now = tonumber(given)
if given == '' then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A bucket of a rate is its arrival time; that of a window its latest eighth and the counts of nine, oldest first.
local function read(check)
  local found = redis.pcall('GET', check.key)
  if type(found) == 'table' then return nil end
  local numbers = {}
  if found then
    for word in string.gmatch(found, '%S+') do
      local number = tonumber(word)
      if not number or number ~= number or number < 0 or number > 2^53 then return nil end
      numbers[#numbers + 1] = number
    end
    if #numbers ~= (check.isWindow and 10 or 1) then return nil end
  elseif check.isWindow then
    numbers = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
  else
    numbers = { 0 }
  end
  if not check.isWindow then return { arrival = numbers[1], isNew = not found } end
  -- What is given back comes out of where it was counted, whatever the time is.
  local latest = numbers[1]
  if kind ~= 'refund' then latest = math.max(latest, math.floor(now * 8 / check.span)) end
  local bucket = { latest = latest, isNew = not found }
  for place = 1, 9 do bucket[place] = numbers[1 + place + latest - numbers[1]] or 0 end
  return bucket
end

local function used(bucket)
  local sum = 0
  for place = 1, 9 do sum = sum + bucket[place] end
  return sum
end

local function remaining(check, bucket)
  if check.isWindow then return math.max(0, check.bound - used(bucket)) end
  local owed = math.max(bucket.arrival, now) - now
  return math.max(0, math.floor((check.bound * check.span - owed) / check.span))
end

local function wait(check, bucket, cost)
  if not check.isWindow then
    local owed = math.max(bucket.arrival, now) - now
    return math.max(0, math.ceil(owed + cost * check.span - check.bound * check.span))
  end
  local over = used(bucket) + cost - check.bound
  if over <= 0 then return 0 end
  local place = 0
  while over > 0 and place < 9 do
    place = place + 1
    over = over - bucket[place]
  end
  return math.max(1, math.ceil((bucket.latest + place) * check.span / 8) - now)
end

local function take(check, bucket, cost)
  if check.isWindow then
    bucket[9] = bucket[9] + cost
  else
    bucket.arrival = math.max(bucket.arrival, now) + cost * check.span
  end
end

local function add(check, bucket, cost)
  take(check, bucket, math.min(cost, remaining(check, bucket)))
end

local function refund(check, bucket, cost)
  if bucket.isNew then return end
  if not check.isWindow then
    bucket.arrival = math.max(0, bucket.arrival - cost * check.span)
    return
  end
  for place = 9, 1, -1 do
    local back = math.min(cost, bucket[place])
    bucket[place] = bucket[place] - back
    cost = cost - back
  end
end

local function write(check, bucket)
  local text, ttl
  if check.isWindow then
    text = string.format('%.17g', bucket.latest)
    for place = 1, 9 do text = text .. ' ' .. string.format('%.17g', bucket[place]) end
    ttl = math.ceil((bucket.latest + 9) * check.span / 8) - now
  else
    text = string.format('%.17g', bucket.arrival)
    ttl = math.ceil(bucket.arrival) - now
  end
  redis.call('SET', check.key, text, 'PX', string.format('%.17g', math.max(0, ttl) + slack))
end

-- A key that stands twice is one bucket, of which the second takes what the first has left.
local checks, buckets = {}, {}
for i = 1, #KEYS do
  local at = 4 * i
  local check = {
    key = KEYS[i],
    isWindow = ARGV[at] == 'window',
    bound = tonumber(ARGV[at + 1]),
    span = tonumber(ARGV[at + 2]),
    cost = tonumber(ARGV[at + 3]),
  }
  checks[i] = check
  if not buckets[check.key] then
    local bucket = read(check)
    if not bucket then return redis.error_reply('${foreignStateCode} this is no bucket') end
    buckets[check.key] = bucket
  end
end

if kind ~= 'take' then
  for _, check in ipairs(checks) do
    local change = kind == 'refund' and refund or add
    change(check, buckets[check.key], check.cost)
  end
  for _, check in ipairs(checks) do
    local bucket = buckets[check.key]
    if kind == 'add' or not bucket.isNew then write(check, bucket) end
  end
  return 1
end

local allowed, reply = 1, { 1 }
for i, check in ipairs(checks) do reply[i * 2] = remaining(check, buckets[check.key]) end
for i, check in ipairs(checks) do
  local bucket = buckets[check.key]
  local waiting = wait(check, bucket, check.cost)
  reply[i * 2 + 1] = waiting
  if waiting > 0 then allowed = 0 else take(check, bucket, check.cost) end
end
reply[1] = allowed
if allowed == 0 then return reply end
for i, check in ipairs(checks) do
  local bucket = buckets[check.key]
  reply[i * 2], reply[i * 2 + 1] = remaining(check, bucket), wait(check, bucket, 1)
  write(check, bucket)
end
return reply
`
