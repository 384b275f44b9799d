// What a writer does on the server, each at once: take a number, take a bucket over, write a row, forget an entity, write
// a head. All but the first answer 1 for done, 0 for what was there already, -1 to a writer that another has taken over
// from, and -2 where something is missing that this writer has put there.

enum RedisScript: CaseIterable {
  case number, claim, put, forget, commit

  /// What a script has come to.
  enum Outcome: Int64 {
    case done = 1
    case known = 0
    case deposed = -1
    case forgotten = -2
  }

  /// What a bucket's fence has against a writer; nil for nothing. One that is lower is from before this writer: the server
  /// came back with what it had once.
  private static let refusal =
    before + """
      local function refusal(fence, epoch)
        if not fence or before(fence, epoch) then return -2 end
        if before(epoch, fence) then return -1 end
      end

      """

  /// `string.byte` and not `<`, which goes by the server's language.
  private static let before = """
    local function before(a, b)
      for i = 1, math.min(#a, #b) do
        local x, y = string.byte(a, i), string.byte(b, i)
        if x ~= y then return x < y end
      end
      return #a < #b
    end

    """

  var text: String {
    switch self {
    case .number:
      // epoch · least: answers what it has become
      """
      local number = math.max(tonumber(redis.call('GET', KEYS[1]) or 0) + ARGV[2], ARGV[1])
      redis.call('SET', KEYS[1], string.format('%.0f', number))
      return number
      """
    case .claim:
      // fence · epoch
      RedisScript.refusal + """
        local no = refusal(redis.call('GET', KEYS[1]), ARGV[1])
        if no == -2 then redis.call('SET', KEYS[1], ARGV[1]) end
        return no or 1
        """
    case .put:
      // fence, row, index · row, key, milliseconds to live or ''
      RedisScript.refusal + """
        local mark = string.sub(ARGV[1], 1, 16)
        local no = refusal(redis.call('GET', KEYS[1]), string.sub(mark, 1, 8))
        if no then return no end
        local old = redis.call('GETRANGE', KEYS[2], 0, 15)
        if #old == 16 and before(mark, old) then return 0 end
        if ARGV[3] == '' then
          redis.call('SET', KEYS[2], ARGV[1])
        else
          redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
        end
        redis.call('SADD', KEYS[3], ARGV[2])
        return 1
        """
    case .forget:
      // fence, index[, row] · epoch, key
      RedisScript.refusal + """
        local no = refusal(redis.call('GET', KEYS[1]), ARGV[1])
        if no then return no end
        if KEYS[3] then redis.call('DEL', KEYS[3]) end
        return redis.call('SREM', KEYS[2], ARGV[2])
        """
    case .commit:
      // head · head, '1' where there may be none yet
      RedisScript.before + """
        local old = redis.call('GETRANGE', KEYS[1], 8, 23)
        if #old == 0 and ARGV[2] ~= '1' then return -2 end
        if #old == 16 then
          if before(string.sub(ARGV[1], 9, 16), string.sub(old, 1, 8)) then return -1 end
          if before(string.sub(ARGV[1], 9, 24), old) then return 0 end
        end
        redis.call('SET', KEYS[1], ARGV[1])
        return 1
        """
    }
  }
}
