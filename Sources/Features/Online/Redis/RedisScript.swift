// The three things that a writer does on the server, each at once: take a bucket over, write a row, write a head. All
// answer 1 for done, 0 for what was there already, -1 to a writer that another has taken over from, and -2 where
// something is missing that this writer has put there.

enum RedisScript: CaseIterable {
  case claim, put, commit

  /// What a script has come to.
  enum Outcome: Int64 {
    case done = 1
    case known = 0
    case deposed = -1
    case forgotten = -2
  }

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
    case .claim:
      // fence · epoch
      RedisScript.before + """
        local fence = redis.call('GET', KEYS[1])
        if fence and before(ARGV[1], fence) then return -1 end
        redis.call('SET', KEYS[1], ARGV[1])
        return 1
        """
    case .put:
      // fence, row, index · row, key, milliseconds to live or ''
      RedisScript.before + """
        local fence = redis.call('GET', KEYS[1])
        if not fence then return -2 end
        local mark = string.sub(ARGV[1], 1, 16)
        if before(string.sub(mark, 1, 8), fence) then return -1 end
        local old = redis.call('GETRANGE', KEYS[2], 0, 15)
        if #old == 16 and not before(old, mark) then return 0 end
        if ARGV[3] == '' then
          redis.call('SET', KEYS[2], ARGV[1])
        else
          redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
        end
        if #old == 0 then redis.call('SADD', KEYS[3], ARGV[2]) end
        return 1
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
