# bash completion for rtinfer; made by: rtinfer completions bash
_rtinfer() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local flags='--help --version' operands='' values='' verbs=''
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "ingest materialize score serve bench help completions $flags" -- "$word"))
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
      flags='--project --type --type-member --id --time --time-unit --lateness --dedup --from --idle --private-key --rejects --max-rejects --strict --log --state --fsync --segment-size --retain-age --retain-size --retain-force --wait --replay --from-offset --since --until --by --speed --follow --quiet --help'
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
      esac
      ;;
    'materialize '*)
      flags='--project --emit --for --training --format --as-of --logged --tolerance --type --type-member --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --emit) values='arrival watermark' ;;
        --for) values='text' ;;
        --training) values='files' ;;
        --format) values='csv ndjson' ;;
        --as-of) values='event ingest' ;;
        --logged) values='files' ;;
        --tolerance) values='text' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'score '*)
      flags='--project --model --format --to --margin --contributions --explain --importance --summary --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --model) values='files' ;;
        --format) values='auto ndjson csv tsv' ;;
        --to) values='ndjson csv tsv' ;;
        --explain) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'serve '*)
      flags='--project --listen --model --threads --max-batch --max-batch-delay --max-connections --max-body --drain --drain-delay --ready-file --token-file --insecure --access-log --decisions --quiet --help'
      case $previous in
        --project) values='files' ;;
        --listen) values='text' ;;
        --model) values='files' ;;
        --threads) values='text' ;;
        --max-batch) values='text' ;;
        --max-batch-delay) values='text' ;;
        --max-connections) values='text' ;;
        --max-body) values='text' ;;
        --drain) values='text' ;;
        --drain-delay) values='text' ;;
        --ready-file) values='files' ;;
        --token-file) values='files' ;;
        --access-log) values='files' ;;
        --decisions) values='files' ;;
      esac
      ;;
    'bench model '*)
      flags='--project --batch --repeats --json --format --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --batch) values='text' ;;
        --repeats) values='text' ;;
        --format) values='auto ndjson csv tsv' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'bench ab '*)
      flags='--project --model --batch-every --publish-delay --ingest-delay --cluster --seed --decisions --json --type --type-member --rejects --max-rejects --strict --quiet --help'
      case $previous in
        --project) values='files' ;;
        --model) values='text' ;;
        --batch-every) values='text' ;;
        --publish-delay) values='text' ;;
        --ingest-delay) values='text' ;;
        --cluster) values='text' ;;
        --seed) values='text' ;;
        --decisions) values='files' ;;
        --type) values='text' ;;
        --type-member) values='text' ;;
        --rejects) values='files' ;;
        --max-rejects) values='text' ;;
      esac
      ;;
    'bench model '*)
      operands='model'
      ;;
    'bench ab '*)
      operands='ab'
      ;;
    'bench '*)
      flags='--quiet --help'
      verbs='model ab'
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
