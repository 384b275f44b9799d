// Pages that belong to no single command. What can be printed from the code's own tables is.

import Core
import Features

enum HelpTopics {
  static let all = [records, expressions, project, time, joins, online, serving, status]

  static let records = HelpTopic(
    name: "records", summary: "The kinds of records on the pipe and their members",
    text: """
      One JSON object a line. Every line that rtinfer makes has a "kind", except events: those
      are your own lines, with our mark in the one reserved member "_rt". Members that a
      command does not know pass through unchanged, byte for byte.

      event (no kind)  made by ingest
        your own members
        _rt.type          the event's type
        _rt.offset        dense, in order of arrival; names the event
        _rt.ingested      when it was ingested (RFC 3339, UTC)
        _rt.watermark     no accepted event is earlier; absent before there is one
        _rt.partition     which input it came from, from 0; with --from its source's own
        _rt.source, _rt.source_offset, _rt.source_id  with --from: the topic or stream, the
                          place in its partition, or what names the event there for good
        _rt.op            what a change did to a row: insert, update, delete, snapshot

      rejected         made by any reader, with --rejects FILE
        reason            what is wrong, in words
        source, line, byte  where: the file, its line from 1, the line's offset in bytes
        raw               the line as it came (raw_base64 where it is not UTF-8;
                          raw_withheld where it may hold what is private)
        Piped into ingest, its raw line is tried again.

      features         made by materialize
        id, time          of the event that asked
        entity            the members that name entities, with their values
        request           the event itself
        features          "view:feature": value
        _rt               type, offset, watermark, layers_us

      decision         made by score, and by serve (its replies with ?detail, and --decisions)
        id, time          of the row, where it has them
        score             a number, an array for several outputs: what the library predicts
        margin            before the objective's transform, with --margin
        label             by the project's `labels`: the likeliest class
        decision          of the first of the project's `rules` that holds
        inputs            every value the model saw, by name; null is a missing value, and "inf" and
                          "-inf" are infinities, which only a cell of a table can bring
        contributions     what each input gave to the margin, with --contributions
        bias              the margin where nothing is known; all of them add up to the margin
        explanation       with --explain: bias, and moved_by, the strongest inputs or reasons, with
                          contribution and share; class, where the model has more than two
        _rt.offset, _rt.features_watermark  from the features record
        _rt.features_offset, _rt.online  with --online or --events: the offset, and how many views were
                          absent, damaged, ahead of the row's time, unanswered, or stale (the
                          last row known, of stale_s seconds ago)
        _rt.model, _rt.version  which model; the registry's number, or a file's SHA-256's start
        _rt.trace         of serve: the request's trace, where it came with a traceparent
        _rt.missing       how many inputs were null before defaults
        _rt.layers_us     microseconds in request, features, inference, postprocess, response

      sample           made by bench http and by serve, with --access-log FILE: one request
        due               when it was to be sent; for serve, when its last byte had come (RFC 3339)
        sent              when it was sent
        latency_us        from due to the reply's end, waiting included
        service_us        from sent to the reply's end; for serve, without waiting for others
        status, path      the HTTP status, 0 without a reply; what was asked for
        trace, span       of serve: the request's trace and our span, where it has a traceparent
        error             refused, closed, timeout or malformed, where no reply came
        layers_us         as in a decision, where a model was asked; queue is waiting

      summary          made by bench: a run (what: load, or run behind its samples) or a model
        load, arrivals, stages, concurrency, seed    what was asked: open or closed loop
        valid, why        false where the generator itself was late
        requests, errors, statuses, faults, per_second
        latency_us, service_us, lag_us               percentiles, mean and max
        latency_ns, service_ns, layers_ns            histograms: [lowest nanoseconds, count];
                          of two runs they merge by adding counts
        machine           processor, cores, kernel, build
        of bench pipeline (what: pipeline), for each batch size:
        events_per_s, best_events_per_s   of passes that read the clock only when they begin and end
        us_per_event      mean microseconds of an event by layer, those that only tell included
        decided_us, told_us   p50, p99, p99.9 and max of decisions, by layer, and of calls that only told
        clock_ns          what one reading of the clock takes

      summary          made by bench search (what: step), one for each rate it tried
        rate, answer      requests a second; kept, broken or invalid (the generator was the limit)
        confirming        the answer, tried once more
        requests, errors, p50_us, p99_us

      verdict          made by budget, one for each clause
        budget, clause    what was promised
        verdict           pass, fail or inconclusive; warning: it breaks nothing
        value, interval, n, bound, unit, used        what was measured, and how well it is known
        tail              where the slowest requests spend their time
        why               in words

      summary          made by budget plan (what: plan)
        answer, why, n    whether what was measured fits: pass, fail or inconclusive
        percentile, total_us, layers_us, buffer_us   the budget
        measured_us       total and layers: value, interval
        peak, margin      of the requests a second that are planned for
        replicas, basis   how many; by a measured curve, or by the work for a request
        per_replica, rate_per_replica, utilisation, in_flight
        service_us, modelled_us, simulated_us        the work; the percentile at that rate
        service_allowed_us  by replicas, where nothing says how long the work takes

      summary          made by budget cost (what: cost); ranges are [low, high]
        decisions_per_year, per_1000                 decisions, and the cost of a thousand
        machines, storage, people, build             of a year; build: once
        running_per_year, ownership_per_year         without and with a year's part of build
        value_per_1000, value_per_year, net_per_year, return, payback_months, even_rate

      summary          made by bench ab, one for each arm
        model, arm        real-time, or batch and its interval, or the arm's name
        trained, served   fresh or stale, where the arm says how its model was trained
        from, to          the first question and the last
        asked, refused    questions, and those that this arm could not decide
        decided           by every arm; with_outcome, compared: whose outcome, whose worth is known
        too_late          decisions that came when the outcome was there already: they are none
        differing, flips  decided otherwise than by the first arm: first, arm, n
        age_s             how old the features were when the decision was there: p50, max; a delay that
                          is drawn for each event is not in it
        ingest_delay_s    p50, p99 of a distribution, or with --ingest-delay log of its events, of
                          which p99 is taken
        delay_s           from the question to its decision: p50, max
        measured_us       with --measure-latency, on this machine: features, score and rules: p50, p99, n
        score_difference  mean, p99, max of the absolute difference from the first arm
        stale_inputs      by input: share of questions in which it was not what the first arm's was;
                          mean_difference, absolute, of all questions; null for categories
        auc, log_loss, brier  with …_interval, 95 %; by_decision: n, precision, recall
        logged            with --logged: n, matched: questions whose logged decision is the arm's
          effective_sample_size, weight_max, support (the mean weight; 1 where all had a chance)
          ipw, snipw      what the arm would have been worth, with …_interval, 95 %
        unit, value, value_per_1000  of the questions that are compared; with --logged by IPW;
                          net of costs where an arm states one: then gross_value, cost, too

      verdict          made by bench ab, one for each arm but the first
        clause, verdict   pass, fail, inconclusive; why, assuming: in words
        cells             how either model was trained and served, where the arms say it
        value, interval   the first arm's less this one's, in all; 95 %
        per_month         the same of 30.4375 days: value, interval; null for less than 7 days
        detectable        the difference that would be seen four times in five, by this spread
        n, differing      questions that are compared, and those with another worth
        cluster, clusters, clusters_differing  what was drawn by the bootstrap
        same_ids          check: fail where of more than 1 in 1,000 questions only one of the two arms
                          could decide (only_first, only_arm), which are in no comparison; inconclusive
                          where there are none
        only_first_right, only_arm_right, mcnemar_p
        auc_difference    the first arm's AUC less this one's; …_interval, auc_p by DeLong
        estimator, snipw  with --logged: value is IPW's; SNIPW's beside it, with snipw_interval

      summary          made by bench ab --segment-by (what: segment), of the second arm
        by, segment       what its questions have in common; others: how many small ones together
        decided, differing, compared  questions
        value, interval   the first arm's gain; the intervals of all segments hold together at 95 %
        snipw, snipw_interval  the same by SNIPW, with --logged
        share             of the whole difference; clusters, clusters_differing
        why               there is no interval

      summary          made by bench ab --before-after (what: period), one for each group and period
        group, period     treated or control; before or after the switch
        decided, compared, too_late  decisions, those whose worth is known, those that are none
        delay_s           from the question to its decision, as logged: p50, max
        unit, value_per_decision

      verdict          made by bench ab --before-after
        switched          when; clause, verdict, why, assuming as above
        value, interval   of the n treated decisions since then, together; 95 %
        estimator         difference_in_differences; change: there is no control to compare with
        per_decision      how much the mean changed, less the control's; per_decision_interval
        clusters          how many were drawn by the bootstrap: day, and what --cluster says
        before            the same between the halves of the period before: cut, per_decision, …;
                          trend: alike, apart (then nothing is said), or unknown
        A segment says how many treated decisions since then it has (compared), and whether it is
        held against its own control (control: segment) or everybody's (all).

      importance       made by score --importance, one for each input, the most important first
        model, input      which
        weight, gain, cover, total_gain, total_cover    of XGBoost's files
        split, gain       of LightGBM's; of ONNX's split alone
        PredictionValuesChange    of CatBoost's

      log, log_file, source_offset  made by ingest log stat, verify, offsets
      change           made by the registry's verbs, and printed by registry log and watch
        seq, at, by       its number, when, and who did it; reason, where one was given
        action            add, promote, rollback, tag, measure, remove
        model, version    of what; alias and from (what it stood for before) of promote, rollback
        previous, hash    the chain: SHA-256 of the line before, and of this one without its hash
      refusal          the same of a promotion that its gate refused: action is refuse
        failed, inconclusive   clauses of require; metrics: the values that they name
      version          made by registry list, show and gc; alias by registry at
      verdict          made by registry promote --require, one for each clause
        clause, verdict   pass, fail or inconclusive; value: the metrics that the clause names
      difference       made by registry diff, one for each; model, versions: two numbers
        what              metrics, speed, size, inputs, importance, file, decision
        name, from, to    of what, then and now, null where it was not there; change of numbers,
                          machine of speed
      verification, blob  made by registry verify, gc

      schema_difference  made by ingest schema diff
        type, member, change, declared, found, events

      Every line is checked whole, by RFC 8259, also in members that nobody reads: its grammar,
      UTF-8, escapes, pairs of surrogates, at most \(Limits.jsonDepthMax) levels, at most \(Limits.lineBytesMax >> 20) MiB. --strict checks
      nothing more: it stops at the first rejected record. A number that no double holds, such
      as 1e400, is an error only where it is read. A byte order mark is skipped at the start of
      an input.

      A plain row for score is an object or a CSV line whose members are the model's inputs.
      Of members that appear twice the last one counts. Scores are shortest decimals of
      their model's floats, other numbers of 64-bit floats; integers from -2^63 to 2^64 - 1 are exact.

      """)

  static let online = HelpTopic(
    name: "online", summary: "Online stores: a folder, or Redis for several machines",
    text: """
      materialize --online keeps a store fresh; score, serve and materialize get and stat read
      it. A folder is for one machine: no reader waits, and there is nothing to run. A server
      of Redis or Valkey, or a cluster of them, is for several. In a folder an entity's row takes
      its key, its state (materialize stat says how large they are) and 32 bytes, up to an eighth
      more, and 32 to 64 bytes of index; a store of any size is opened at once. For a server:

        redis://[user:password@]host[:port][/db][?prefix=NAME]
        redis://host,host,host?cluster         any of a cluster's hosts
        unix:///run/redis.sock[?db=N]          a socket's path

      What stands in a password is percent-encoded; RTINFER_ONLINE keeps it out of the list of
      processes. The prefix, rtinfer unless told otherwise, begins every key. TLS is left to a
      tunnel on this machine, which also checks the server's certificate. With stunnel (a package
      of most systems), --online redis://127.0.0.1:6380 and this in /etc/stunnel/redis.conf:

        [redis]
        client = yes
        accept = 127.0.0.1:6380
        connect = redis.example.com:6379
        CAfile = /etc/ssl/certs/ca-certificates.crt
        verifyChain = yes
        checkHost = redis.example.com

      Both hold the same rows, so both give the same values. In Redis a row is one key, written
      by a script on the server: by the writer's number and the event's offset, so that what
      comes again changes nothing and what comes late is not lost. Of two writers the one that
      was started last goes on; the other one is refused and ends with 75. That holds for a
      server that has lost its memory too, as long as the writers' clocks agree. Rows of views whose
      windows all end expire a day after the last question that could reach them.

      A row may be lost with the server's memory. While materialize runs it notices, with the
      next event or at the end, and writes all rows again. Where the server went down while
      nobody wrote: materialize backfill. A server that evicts keys when it is full loses rows
      unnoticed: give it maxmemory-policy noeviction, and then it says when it is full (exit
      status 4).

      Decisions never wait longer than --online-deadline for Redis (5ms for serve, 1s for
      score). Then they take the last row that this process has read, up to 64 MiB of them,
      else the model's defaults: see _rt.online in rtinfer help records, and serve's metrics
      rtinfer_online_lookups_total and rtinfer_online_views_total{outcome="stale"}. A host's name
      is looked up at the start, and again, while decisions go on, when nobody answers there.

      """)

  static let serving = HelpTopic(
    name: "serving", summary: "What awkward clients of serve get, and what is counted",
    text: """
      A client that …                      gets                          counted as
      speaks no HTTP/1.1, or a shape that  400 and the end of its        none 400
        two readers could read differently   connection
      sends a chunked coding but another   501 and the end               none 501
      sends a line or fields too long      414, 431 and the end          none 414, 431
      sends a body over --max-body         413 and the end, before the   none 413
                                             body where its length is told
      takes over 10 s for a request, and   408 and the end               none 408
        a second for each 16 KiB
      sends nothing for 75 s               the end                       -
      reads nothing of its reply for 30 s  the end                       -
      sends on without reading             is not read from until it     -
                                             has read 1 MiB
      closes its half, having asked        its answer, then the end      its route, 200
      resets while its request waits       nothing; its row is not       dropped
                                             judged
      is one of too many                   503, Retry-After: 1           turned away
      sends by POST more than --max-rate   429, Retry-After: seconds     its route, 429
        allows one client                    until it may again
      asks for a model that is not served  404, with the nearest name    its route, 404
      sends members that are wrong         400, every fault named        its route, 400
      sends events of which some are       400, each named; the others   its route, 400
        wrong, late or from the future       are taken
      sends events when 64 MiB of them     503, Retry-After: 1           refused, full
        wait, or the disk takes none       503, Retry-After: 1           refused, failed
      sends events where none are taken    409                           its route, 409
      leaves before its events are kept    nothing; they are kept        accepted
      has waited past its own deadline     504; its row is not judged    its route, 504
      has no token where one is needed     401                           its route, 401
      connects while the server drains     served, then no longer        its route, 200
                                             accepted
      "refused" is the metric rtinfer_event_requests_refused_total, and
      "none 400" is the metric rtinfer_http_requests_total{route="none",code="400"}.
      Nobody else notices: each loop takes up what is ready and waits for no one.

      """)

  static let time = HelpTopic(
    name: "time", summary: "Event time, watermarks, windows and their edges",
    text: """
      Times are read as RFC 3339 with any offset, or as epoch numbers in a stated unit, kept
      as microseconds UTC, and written as RFC 3339 with Z.

      Watermark   the latest event time seen, less the largest lateness declared; the minimum
                  over the inputs; it never goes back and never asks the wall clock, so a
                  replay gives the same answers. An event before it is rejected as late.
      window      a question at time q with window w covers [q - w, q): nothing that happens
                  at q is seen.
      tumbling    the last stretch [k w, (k+1) w) that has ended by q; since the epoch, UTC.
      cumulative  from k w to q, or to the last multiple of `every`; whole at its very end.
      session     events no further apart than the gap, if q is no further from the last.
      every       the window's start is rounded down to this hop. Without `every`: 1 d for
                  windows from 12 d, 1 h from 12 h, 5 min from 1 h, exact below.
      Ties        on arrival, events of one time are ordered by their arrival; with --emit
                  watermark and in training sets by their id, so that the order of arrival
                  does not matter.
      Durations   a number and a unit: us, ms, s, m, h, d, w; as in 90s or 1h30m.

      """)

  static let status = HelpTopic(
    name: "status", summary: "Exit status, environment variables, signals",
    text: """
      Exit status:

      0    done, or yes
      1    the verdict is no
      2    the command line or the project file cannot be understood
      3    more records rejected than --max-rejects allows (0 by default)
      4    a file, pipe or device failed
      5    inconclusive: too little data
      70   a bug of ours
      75   another run holds the lock
      130, 143  ended by SIGINT or SIGTERM, after everything read was written
      129  ended by SIGHUP; a program that was started (--spawn, --peers) is ended with it

      A closed pipe (… | head -1) ends quietly with 0.

      Every flag with a value, and every switch, can be set by an environment variable:
      RTINFER_ and the flag's name in capitals, as in RTINFER_MAX_REJECTS=1%. What is typed
      goes first, then the environment, then the project file, then the default.
      NO_COLOR and TERM=dumb keep progress lines off a terminal.

      """)

  static let project = HelpTopic(
    name: "project", summary: "The project file rtinfer.json",
    text: """
      JSON with comments, trailing commas and names without quotes (JSON5), found upward from
      the working directory or named with --project. Unknown keys are errors.

      {
        events: {                        // by type; an event names its type in "type"
          departed: {
            id: "id",                    // the member that identifies an event
            time: "time",                // the member with its time
            time_unit: "rfc3339",        // or s, ms, us, ns
            lateness: "5m",              // how late an event may come
            max_future_skew: "5m",       // how far ahead of the clock its time may lie
            dedup: "24h",                // drop ids seen within this time; off by default
            private: { tailnum: "hash" },   // or drop: hidden before ingest writes anything
            unknown: "keep",             // other members: keep, drop or reject the event
            fields: {                    // none: anything goes
              carrier: "string", tailnum: "string?",   // ? is optional
              dep_delay: { type: "integer", min: -120, max: 3000 },
            },                           // string integer number boolean time any
          },
        },
        features: {
          origin_departures: {           // a view: what is known about an entity
            entity: ["origin"], from: "departed", where: "dep_delay < 600",
            features: {
              mean_delay_1h: { mean: "dep_delay", window: "1h", every: "5m" },   // sliding
              flights: { count: "*", tumbling: "1h" },     // or cumulative, session; see help time
              late_share: { ratio: [{ sum: "late" }, { count: "*" }] },          // of everything
            },
          },
          clicks: {                      // over pairs of events: see help joins
            entity: ["ad"], features: { ctr: { mean: "has(click.id) ? 1.0 : 0.0" } },
            join: { left: "impression", right: "click", on: "impression_id", within: "30m", outer: true },
          },
          airport: {                     // computed elsewhere: materialize --table airport=FILE
            entity: ["origin"], ttl: "7d",       // the newest row up to the question, if not older
            table: { time: "as_of", fields: { origin: "string", as_of: "time", runways: "integer" } },
            features: { runways: "runways" },    // expressions over the row; views of events may
          },                             // read them as well: where: "airport__runways > 2"
          plan: { on: "scheduled", features: {   // expressions over members and features
            slow: { value: "origin_departures__mean_delay_1h / distance", max: 1, default: 0 },
          } },
        },
        models: {
          late_arrival: {
            uri: "model.json",           // relative to this file
            decides: "scheduled",        // events of this type ask for a decision
            inputs: ["distance", "hour(sched_dep)", "origin_departures:mean_delay_1h"],
            defaults: { "origin_departures:mean_delay_1h": 0 },   // instead of null
            labels: ["on_time", "late"],
            reasons: { "busy airport": ["origin_departures:mean_delay_1h"] },
            rules: [ { if: "score >= 0.5", decide: "rebook" }, { decide: "keep" } ],
          },
          cancellation: {                // several files that decide as one, in place of uri
            combine: { mean: ["a.json", "b.txt"] },            // of their scores; or models:/a/3
            //   { weighted: { "a.json": 0.7, "b.txt": 0.3 }, on: "margin" }  of their margins
            //   { stack: "meta.json", of: ["a.json", "b.txt"] }   a model told the scores a and b
          },
        },
        outcomes: {                      // what turned out: labels of training sets
          late_arrival: { from: "arrived", join: "id", outcome: "arr_delay > 15", matures: "24h",
                          depends_on_decision: false },   // true: what is decided can change it
        },
        values: {                        // for bench ab: what a decision was worth
          late_arrival: [
            { if: "decision == 'rebook' && outcome", value: 60 },   // the first that holds
            { if: "decision == 'rebook'", value: "-0.1 * distance" },           // else 0
          ],
        },
        budgets: {
          late_arrival: { total: { p99: "50ms" }, layers: { features: "15ms" }, buffer: "8ms" },
        },
      }

      Aggregations:

      """ + AggregationHelp.text)

  static let expressions = HelpTopic(
    name: "expressions", summary: "What may stand in where, inputs, rules and aggregations",
    text: expressionsText)

  private static var expressionsText: String {
    var text = """
      A subset of CEL (Common Expression Language), checked when the project is loaded.

      Literals    1  -2.5  1e3  'text'  "text"  true  false  null
      Members     dep_delay   user.id   view__feature (in inputs and rules)
                  score and label (in rules)
      Operators   * / %   + -   < <= > >= == != in   &&   ||   ?:   and unary - !
                  x in [1, 2, 3]

      A missing member is null, and null goes through: x + null, x < null and hour(null) are
      null. x == null tests for it. false && null is false, true || null is true. Dividing
      by zero, overflow and what is outside a function's domain are null: nothing fails at
      run time. Integers reach from -2^63 to 2^64 - 1 and are exact; beside a double they are
      widened; int / int truncates, as in CEL. A condition that is null does not hold. The
      difference of two times is a number of seconds.

      Functions:

      """
    let width = Expression.functions.map(\.signature.count).max()! + 2
    for (signature, summary) in Expression.functions {
      text += "  \(Help.padded(signature, width))\(summary)\n"
    }
    return text
  }
}
