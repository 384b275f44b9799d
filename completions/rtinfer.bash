# bash completion for rtinfer; made by: rtinfer completions bash
_rtinfer() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local flags='--help --version' operands='' values='' verbs=''
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "ingest materialize score serve bench drift registry budget help completions $flags" -- "$word"))
    return
  fi
  case "${COMP_WORDS[*]:1:COMP_CWORD-1} " in
    'ingest log verify '*)
      flags='--project --log --state --quiet --help'
      case $previous in
        --project) values='files' ;;
        --state) values='folders' ;;
      esac
      ;;
    'ingest log stat '*)
      flags='--project --log --state --quiet --help'
      case $previous in
        --project) values='files' ;;
        --state) values='folders' ;;
      esac
      ;;
    'ingest log offsets '*)
      flags='--project --log --state --quiet --help'
      case $previous in
        --project) values='files' ;;
        --state) values='folders' ;;
      esac
      ;;
    'ingest schema infer '*)
      flags='--type --type-member --id --time --time-unit --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --type) values='text' ;;
        --type-member) values='text' ;;
        --id) values='text' ;;
        --time) values='text' ;;
        --time-unit) values='rfc3339 s ms us ns' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'ingest schema diff '*)
      flags='--project --type --type-member --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'ingest log '*)
      operands='verify stat offsets'
      ;;
    'ingest schema '*)
      operands='infer diff'
      ;;
    'ingest '*)
      flags='--project --type --type-member --id --time --time-unit --lateness --dedup --from --idle --private-key --dedup-memory --window --windows --rejects --max-rejects --strict --log --state --fsync --segment-size --retain-age --retain-size --retain-force --wait --replay --from-offset --since --until --by --speed --follow --listen --max-connections --max-rate --max-body --drain --drain-delay --ready-file --token-file --insecure --quiet --help'
      verbs='log schema'
      case $previous in
        --project) values='files' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --id) values='text' ;;
        --time) values='text' ;;
        --time-unit) values='rfc3339 s ms us ns' ;;
        --lateness) values='text' ;;
        --dedup) values='text' ;;
        --from) values='text' ;;
        --idle) values='text' ;;
        --private-key) values='files' ;;
        --dedup-memory) values='text' ;;
        --window) values='text' ;;
        --windows) values='files' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
        --state) values='folders' ;;
        --fsync) values='text' ;;
        --segment-size) values='text' ;;
        --retain-age) values='text' ;;
        --retain-size) values='text' ;;
        --wait) values='text' ;;
        --from-offset) values='text' ;;
        --since) values='text' ;;
        --until) values='text' ;;
        --by) values='event ingest' ;;
        --speed) values='text' ;;
        --listen) values='text' ;;
        --max-connections) values='text' ;;
        --max-rate) values='text' ;;
        --max-body) values='text' ;;
        --drain) values='text' ;;
        --drain-delay) values='text' ;;
        --ready-file) values='files' ;;
        --token-file) values='files' ;;
      esac
      ;;
    'materialize '*)
      flags='--project --emit --for --table --online --at --training --format --as-of --stale --logged --tolerance --out --log --state --consumer --follow --type --type-member --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --emit) values='arrival watermark' ;;
        --for) values='text' ;;
        --table) values='text' ;;
        --online) values='folders' ;;
        --at) values='text' ;;
        --training) values='files' ;;
        --format) values='csv ndjson' ;;
        --as-of) values='event ingest' ;;
        --stale) values='text' ;;
        --logged) values='files' ;;
        --tolerance) values='text' ;;
        --out) values='files' ;;
        --state) values='folders' ;;
        --consumer) values='text' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'score '*)
      flags='--project --model --registry --online --online-deadline --format --to --margin --contributions --explain --importance --summary --out --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --model) values='files' ;;
        --registry) values='folders' ;;
        --online) values='folders' ;;
        --online-deadline) values='text' ;;
        --format) values='auto ndjson csv tsv' ;;
        --to) values='ndjson csv tsv' ;;
        --explain) values='text' ;;
        --out) values='files' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'serve '*)
      flags='--project --online --online-deadline --listen --model --registry --threads --max-batch --max-batch-delay --max-connections --max-rate --max-body --drain --drain-delay --ready-file --token-file --insecure --access-log --decisions --rotate-size --rotate-keep --follow --events --type --type-member --log --state --fsync --segment-size --retain-age --retain-size --retain-force --wait --table --private-key --dedup-memory --rejects --quiet --help'
      case $previous in
        --project) values='files' ;;
        --online) values='folders' ;;
        --online-deadline) values='text' ;;
        --listen) values='text' ;;
        --model) values='files' ;;
        --registry) values='folders' ;;
        --threads) values='text' ;;
        --max-batch) values='text' ;;
        --max-batch-delay) values='text' ;;
        --max-connections) values='text' ;;
        --max-rate) values='text' ;;
        --max-body) values='text' ;;
        --drain) values='text' ;;
        --drain-delay) values='text' ;;
        --ready-file) values='files' ;;
        --token-file) values='files' ;;
        --access-log) values='files' ;;
        --decisions) values='files' ;;
        --rotate-size) values='text' ;;
        --rotate-keep) values='text' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --state) values='folders' ;;
        --fsync) values='text' ;;
        --segment-size) values='text' ;;
        --retain-age) values='text' ;;
        --retain-size) values='text' ;;
        --wait) values='text' ;;
        --table) values='text' ;;
        --private-key) values='files' ;;
        --dedup-memory) values='text' ;;
        --rejects) values='files' ;;
      esac
      ;;
    'bench model '*)
      flags='--project --registry --batch --repeats --threads --peers --json --format --record --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
        --batch) values='text' ;;
        --repeats) values='text' ;;
        --threads) values='text' ;;
        --format) values='auto ndjson csv tsv' ;;
        --record) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'bench features '*)
      flags='--project --online --online-deadline --for --at --hot --remember --updates --batch --repeats --peers --seed --json --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --online) values='folders' ;;
        --online-deadline) values='text' ;;
        --for) values='text' ;;
        --at) values='text' ;;
        --hot) values='text' ;;
        --remember) values='text' ;;
        --updates) values='text' ;;
        --batch) values='text' ;;
        --repeats) values='text' ;;
        --seed) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'bench pipeline '*)
      flags='--project --registry --model --batch --repeats --peers --decisions --summary --json --table --type --type-member --from --idle --private-key --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
        --model) values='files' ;;
        --batch) values='text' ;;
        --repeats) values='text' ;;
        --decisions) values='files' ;;
        --table) values='text' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --from) values='text' ;;
        --idle) values='text' ;;
        --private-key) values='files' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'bench http '*)
      flags='--rate --duration --warmup --arrivals --seed --concurrency --connections --timeout --no-keep-alive --method --header --body --request-lines --spawn --max-lag --summary --json --hgrm --html --label --quiet --help'
      case $previous in
        --rate) values='text' ;;
        --duration) values='text' ;;
        --warmup) values='text' ;;
        --arrivals) values='text' ;;
        --seed) values='text' ;;
        --concurrency) values='text' ;;
        --connections) values='text' ;;
        --timeout) values='text' ;;
        --method) values='text' ;;
        --header) values='text' ;;
        --body) values='text' ;;
        --spawn) values='text' ;;
        --max-lag) values='text' ;;
        --hgrm) values='files' ;;
        --html) values='files' ;;
        --label) values='text' ;;
      esac
      ;;
    'bench search '*)
      flags='--slo --start-rate --up-to --precision --seed --connections --timeout --no-keep-alive --method --header --body --request-lines --spawn --max-lag --html --json --quiet --help'
      case $previous in
        --slo) values='text' ;;
        --start-rate) values='text' ;;
        --up-to) values='text' ;;
        --precision) values='text' ;;
        --seed) values='text' ;;
        --connections) values='text' ;;
        --timeout) values='text' ;;
        --method) values='text' ;;
        --header) values='text' ;;
        --body) values='text' ;;
        --spawn) values='text' ;;
        --max-lag) values='text' ;;
        --html) values='files' ;;
      esac
      ;;
    'bench compare '*)
      flags='--rate --rounds --stretch --percentile --seed --connections --timeout --no-keep-alive --method --header --body --request-lines --max-lag --confidence --quiet --help'
      case $previous in
        --rate) values='text' ;;
        --rounds) values='text' ;;
        --stretch) values='text' ;;
        --percentile) values='text' ;;
        --seed) values='text' ;;
        --connections) values='text' ;;
        --timeout) values='text' ;;
        --method) values='text' ;;
        --header) values='text' ;;
        --body) values='text' ;;
        --max-lag) values='text' ;;
        --confidence) values='text' ;;
      esac
      ;;
    'bench ab '*)
      flags='--project --registry --model --batch-every --publish-delay --ingest-delay --batch-decides --arms --cluster --measure-latency --segment-by --logged --before-after --treated --wash-out --seed --decisions --log --state --html --json --type --type-member --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
        --model) values='files' ;;
        --batch-every) values='text' ;;
        --publish-delay) values='text' ;;
        --ingest-delay) values='text' ;;
        --arms) values='text' ;;
        --cluster) values='text' ;;
        --segment-by) values='text' ;;
        --logged) values='files' ;;
        --before-after) values='text' ;;
        --treated) values='text' ;;
        --wash-out) values='text' ;;
        --seed) values='text' ;;
        --decisions) values='files' ;;
        --state) values='folders' ;;
        --html) values='files' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'bench model '*)
      operands='model'
      ;;
    'bench features '*)
      operands='features'
      ;;
    'bench pipeline '*)
      operands='pipeline'
      ;;
    'bench http '*)
      operands='http'
      ;;
    'bench search '*)
      operands='search'
      ;;
    'bench compare '*)
      operands='compare'
      ;;
    'bench ab '*)
      operands='ab'
      ;;
    'bench '*)
      flags='--quiet --help'
      verbs='model features pipeline http search compare ab'
      ;;
    'drift profile '*)
      flags='--format --columns --without --under --time --time-unit --every --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --format) values='auto ndjson csv tsv' ;;
        --columns) values='text' ;;
        --without) values='text' ;;
        --under) values='text' ;;
        --time) values='text' ;;
        --time-unit) values='rfc3339 s ms us ns' ;;
        --every) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'drift merge '*)
      flags='--quiet --help'
      ;;
    'drift check '*)
      flags='--reference --current --measure --watch-at --drift-at --level --least --share --weights --prediction --as --html --format --columns --without --under --time --time-unit --every --rejects --max-rejects --strict --record --registry --quiet --help'
      case $previous in
        --reference) values='files' ;;
        --current) values='files' ;;
        --measure) values='psi kl js hellinger linf ks wasserstein wasserstein_robust' ;;
        --watch-at) values='text' ;;
        --drift-at) values='text' ;;
        --level) values='text' ;;
        --least) values='text' ;;
        --share) values='text' ;;
        --weights) values='files' ;;
        --prediction) values='text' ;;
        --as) values='auto table ndjson junit' ;;
        --html) values='files' ;;
        --format) values='auto ndjson csv tsv' ;;
        --columns) values='text' ;;
        --without) values='text' ;;
        --under) values='text' ;;
        --time) values='text' ;;
        --time-unit) values='rfc3339 s ms us ns' ;;
        --every) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
        --record) values='text' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'drift watch '*)
      flags='--column --detector --run-length --reference --format --time --time-unit --every --against --lateness --columns --without --under --measure --watch-at --drift-at --level --least --share --weights --prediction --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --column) values='text' ;;
        --detector) values='adwin page-hinkley cusum ddm eddm kswin' ;;
        --run-length) values='text' ;;
        --reference) values='files' ;;
        --format) values='auto ndjson csv tsv' ;;
        --time) values='text' ;;
        --time-unit) values='rfc3339 s ms us ns' ;;
        --every) values='text' ;;
        --against) values='text' ;;
        --lateness) values='text' ;;
        --columns) values='text' ;;
        --without) values='text' ;;
        --under) values='text' ;;
        --measure) values='psi kl js hellinger linf ks wasserstein wasserstein_robust' ;;
        --watch-at) values='text' ;;
        --drift-at) values='text' ;;
        --level) values='text' ;;
        --least) values='text' ;;
        --share) values='text' ;;
        --weights) values='files' ;;
        --prediction) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'drift outcomes '*)
      flags='--project --decisions --model --version --every --reference --reference-until --judge-by --worse-by --coverage --least --thresholds --verdicts-as --registry --type --type-member --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --decisions) values='files' ;;
        --model) values='files' ;;
        --version) values='text' ;;
        --every) values='text' ;;
        --reference) values='files' ;;
        --reference-until) values='text' ;;
        --judge-by) values='auc accuracy log_loss brier rmse mae' ;;
        --worse-by) values='text' ;;
        --coverage) values='text' ;;
        --least) values='text' ;;
        --thresholds) values='text' ;;
        --verdicts-as) values='auto table ndjson' ;;
        --registry) values='folders' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'drift trigger '*)
      flags='--project --policy --state --quiet --help'
      case $previous in
        --project) values='files' ;;
        --policy) values='text' ;;
        --state) values='folders' ;;
      esac
      ;;
    'drift profile '*)
      operands='profile'
      ;;
    'drift merge '*)
      operands='merge'
      ;;
    'drift check '*)
      operands='check'
      ;;
    'drift watch '*)
      operands='watch'
      ;;
    'drift outcomes '*)
      operands='outcomes'
      ;;
    'drift trigger '*)
      operands='trigger'
      ;;
    'drift '*)
      flags='--quiet --help'
      verbs='profile merge check watch outcomes trigger'
      ;;
    'registry add '*)
      flags='--metric --tag --rows --training --profile --parent --rejects --max-rejects --strict --project --registry --actor --reason --wait --quiet --help'
      case $previous in
        --metric) values='text' ;;
        --tag) values='text' ;;
        --rows) values='files' ;;
        --training) values='files' ;;
        --profile) values='files' ;;
        --parent) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
        --project) values='files' ;;
        --registry) values='folders' ;;
        --actor) values='text' ;;
        --reason) values='text' ;;
        --wait) values='text' ;;
      esac
      ;;
    'registry list '*)
      flags='--project --registry --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'registry show '*)
      flags='--project --registry --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'registry diff '*)
      flags='--project --registry --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'registry promote '*)
      flags='--require --project --registry --actor --reason --wait --quiet --help'
      case $previous in
        --require) values='text' ;;
        --project) values='files' ;;
        --registry) values='folders' ;;
        --actor) values='text' ;;
        --reason) values='text' ;;
        --wait) values='text' ;;
      esac
      ;;
    'registry rollback '*)
      flags='--project --registry --actor --reason --wait --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
        --actor) values='text' ;;
        --reason) values='text' ;;
        --wait) values='text' ;;
      esac
      ;;
    'registry resolve '*)
      flags='--project --registry --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'registry log '*)
      flags='--project --registry --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'registry at '*)
      flags='--time --project --registry --quiet --help'
      case $previous in
        --time) values='text' ;;
        --project) values='files' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'registry tag '*)
      flags='--set --remove --project --registry --actor --reason --wait --quiet --help'
      case $previous in
        --set) values='text' ;;
        --remove) values='text' ;;
        --project) values='files' ;;
        --registry) values='folders' ;;
        --actor) values='text' ;;
        --reason) values='text' ;;
        --wait) values='text' ;;
      esac
      ;;
    'registry evaluate '*)
      flags='--rows --label --thresholds --rejects --max-rejects --strict --project --registry --actor --reason --wait --quiet --help'
      case $previous in
        --rows) values='files' ;;
        --label) values='text' ;;
        --thresholds) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
        --project) values='files' ;;
        --registry) values='folders' ;;
        --actor) values='text' ;;
        --reason) values='text' ;;
        --wait) values='text' ;;
      esac
      ;;
    'registry verify '*)
      flags='--project --registry --wait --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
        --wait) values='text' ;;
      esac
      ;;
    'registry gc '*)
      flags='--keep --delete --project --registry --actor --reason --wait --quiet --help'
      case $previous in
        --keep) values='text' ;;
        --project) values='files' ;;
        --registry) values='folders' ;;
        --actor) values='text' ;;
        --reason) values='text' ;;
        --wait) values='text' ;;
      esac
      ;;
    'registry export '*)
      flags='--output --project --registry --quiet --help'
      case $previous in
        --output) values='files' ;;
        --project) values='files' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'registry import '*)
      flags='--project --registry --actor --reason --wait --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
        --actor) values='text' ;;
        --reason) values='text' ;;
        --wait) values='text' ;;
      esac
      ;;
    'registry watch '*)
      flags='--project --registry --quiet --help'
      case $previous in
        --project) values='files' ;;
        --registry) values='folders' ;;
      esac
      ;;
    'registry add '*)
      operands='add'
      ;;
    'registry list '*)
      operands='list'
      ;;
    'registry show '*)
      operands='show'
      ;;
    'registry diff '*)
      operands='diff'
      ;;
    'registry promote '*)
      operands='promote'
      ;;
    'registry rollback '*)
      operands='rollback'
      ;;
    'registry resolve '*)
      operands='resolve'
      ;;
    'registry log '*)
      operands='log'
      ;;
    'registry at '*)
      operands='at'
      ;;
    'registry tag '*)
      operands='tag'
      ;;
    'registry evaluate '*)
      operands='evaluate'
      ;;
    'registry verify '*)
      operands='verify'
      ;;
    'registry gc '*)
      operands='gc'
      ;;
    'registry export '*)
      operands='export'
      ;;
    'registry import '*)
      operands='import'
      ;;
    'registry watch '*)
      operands='watch'
      ;;
    'registry '*)
      flags='--quiet --help'
      verbs='add list show diff promote rollback resolve log at tag evaluate verify gc export import watch'
      ;;
    'budget check '*)
      flags='--project --budget --budget-of --confidence --format --html --save --record --registry --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --budget) values='text' ;;
        --budget-of) values='text' ;;
        --confidence) values='text' ;;
        --format) values='table ndjson junit github' ;;
        --html) values='files' ;;
        --save) values='files' ;;
        --record) values='text' ;;
        --registry) values='folders' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'budget compare '*)
      flags='--baseline --tolerate --force --save --confidence --format --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --baseline) values='files' ;;
        --tolerate) values='text' ;;
        --save) values='files' ;;
        --confidence) values='text' ;;
        --format) values='table ndjson junit github' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'budget plan '*)
      flags='--target --percentile --name --rate --headroom --workers --service --variation --seed --confidence --format --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --target) values='text' ;;
        --percentile) values='text' ;;
        --name) values='text' ;;
        --rate) values='text' ;;
        --headroom) values='text' ;;
        --workers) values='text' ;;
        --service) values='text' ;;
        --variation) values='text' ;;
        --seed) values='text' ;;
        --confidence) values='text' ;;
        --format) values='table project ndjson' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'budget cost '*)
      flags='--mean-rate --replicas --hourly --storage --storage-price --people --salary --build --years --value --format --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --mean-rate) values='text' ;;
        --replicas) values='text' ;;
        --hourly) values='text' ;;
        --storage) values='text' ;;
        --storage-price) values='text' ;;
        --people) values='text' ;;
        --salary) values='text' ;;
        --build) values='text' ;;
        --years) values='text' ;;
        --value) values='text' ;;
        --format) values='table ndjson' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'budget check '*)
      operands='check'
      ;;
    'budget compare '*)
      operands='compare'
      ;;
    'budget plan '*)
      operands='plan'
      ;;
    'budget cost '*)
      operands='cost'
      ;;
    'budget '*)
      flags='--quiet --help'
      verbs='check compare plan cost'
      ;;
    'help '*)
      flags='--quiet --help'
      ;;
    'completions '*)
      flags='--quiet --help'
      operands='bash zsh fish'
      ;;
  esac
  if [[ $values == files ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  elif [[ $values == folders ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -d -- "$word"))
  elif [[ $values == text ]]; then
    return
  elif [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ -n $operands ]]; then
    COMPREPLY=($(compgen -W "$operands" -- "$word"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
    [[ $COMP_CWORD -eq 2 ]] && COMPREPLY+=($(compgen -W "$verbs" -- "$word"))
  fi
}
complete -F _rtinfer rtinfer
