// The help of joins: what matches, when a pair is known, and what that costs.

import Core

extension HelpTopics {
  static let joins = HelpTopic(
    name: "joins", summary: "Views over two streams: an impression and its click",
    text: """
      A view may draw from the pairs of a join instead of from events (`join` in place of `from`):

        clicks: {
          entity: ["ad"],
          join: {
            left: "impression",            // an event type; its members are impression.ad …
            right: { from: "click", as: "hit", where: "x >= 0.0" },   // renamed, and not all
            on: "impression.id == hit.impression",     // or a member that both have, or a list
            within: "30m",                 // after the left one; or { before: "5s", after: "30m" }
            outer: true,                   // left events without a match as well
          },
          where: "impression.slot < 4",    // of pairs
          features: { ctr: { mean: "has(hit.id) ? 1.0 : 0.0", window: "1h" } },
        }

      What matches   equal keys, and left - before <= right <= left + after; both ends belong to
                  it. A side of a condition may be any expression over one of the two events:
                  texts, numbers (1 is 1.0), booleans, times. A null equals nothing.
      Its time    that of the later of the two: no feature sees a pair before both are there.
                  A left event without a match has nulls in place of the right one, and the
                  time left + after: until then a match might still come.
      All of them an event with several matches is in several pairs, one that comes twice is
                  two events (`dedup` of the event type drops those), and none matches itself
                  where both sides are of one type.
      Entity      its members are the left event's, or else the right one's; click.user where both
                  have one of that name, or types without fields do not say.
      Late ones   whatever lateness allows is matched as if it had come in time. On arrival a
                  pair counts once its later event to arrive has come; a left event without a
                  match once the watermark has passed left + after. With --emit watermark
                  and in training sets as of event neither depends on the order of arrival.
      Ties        pairs of one time count in the order in which they became known; those that
                  one event completes, in the order of the other events; unmatched ones last.
      Memory      an event waits until the watermark has passed the last time of a match:
                  about 240 bytes and the members that the view reads, and as much again for
                  each key, for left events of after + lateness and right ones of
                  before + lateness. An online store holds them in a table of its own,
                  VIEW.join (materialize plan: waiting), so a restart forgets none; Redis
                  lets go of one that has waited 31 days longer than it should by the
                  server's clock.
      Changes     updates and deletes of either type are refused, as in any view.
      Tables      a joined view does not read them (airport__runways); a derived one may.

      Flink's interval join has the same bounds and the same time of a pair. In its DataStream
      API there are inner joins only; its SQL also has right and full ones, which are not here,
      and gives out unmatched rows when it cleans up, which may be up to half of the interval
      later than they are known.

      """)
}
