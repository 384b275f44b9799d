// Completion scripts for three shells from the same declarations as the help. The files under
// `completions/` are what `rtinfer completions <shell>` prints; a test fails when they differ.

public enum Shell: String, CaseIterable, Sendable {
  case bash, zsh, fish

  /// The name under which the shell looks for the script.
  public var fileName: String {
    switch self {
    case .bash: "rtinfer.bash"
    case .zsh: "_rtinfer"
    case .fish: "rtinfer.fish"
    }
  }
}

public enum Completions {
  public static func script(_ shell: Shell, commands: [Command]) -> String {
    switch shell {
    case .bash: bash(commands)
    case .zsh: zsh(commands)
    case .fish: fish(commands)
    }
  }

  private static func flags(_ command: Command) -> [Flag] { command.flags + CommonFlags.everywhere }

  // MARK: bash

  private static func bash(_ commands: [Command]) -> String {
    let names = commands.map(\.name).joined(separator: " ")
    var cases = ""
    // The longest name first: a verb's begins with its command's.
    for command in commands {
      for verb in command.verbs { cases += bashCase(verb) }
      for group in command.verbGroups {
        let words = group.verbs.map(\.lastWord).joined(separator: " ")
        cases += "    '\(command.name) \(group.word) '*)\n      operands='\(words)'\n      ;;\n"
      }
      cases += bashCase(command)
    }
    return """
      # bash completion for rtinfer; made by: rtinfer completions bash
      _rtinfer() {
        local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
        local flags='--help --version' operands='' values='' verbs=''
        COMPREPLY=()
        if [[ $COMP_CWORD -eq 1 ]]; then
          COMPREPLY=($(compgen -W "\(names) $flags" -- "$word"))
          return
        fi
        case "${COMP_WORDS[*]:1:COMP_CWORD-1} " in
      \(cases)  esac
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

      """
  }

  private static func bashCase(_ command: Command) -> String {
    let words = flags(command).map { "--\($0.name)" }.joined(separator: " ")
    var text = "    '\(command.name) '*)\n      flags='\(words)'\n"
    if case .choice(let choices) = command.operands {
      text += "      operands='\(choices.joined(separator: " "))'\n"
    }
    let verbs = command.verbGroups.map(\.word).joined(separator: " ")
    if !verbs.isEmpty { text += "      verbs='\(verbs)'\n" }
    return text + values(command) + "      ;;\n"
  }

  private static func values(_ command: Command) -> String {
    let valued = flags(command).filter(\.takesNextWord)
    guard !valued.isEmpty else { return "" }
    var text = "      case $previous in\n"
    for flag in valued {
      let values =
        switch flag.argument {
        case .file: "files"
        case .folder, .optionalFolder: "folders"
        case .choice(let words): words.joined(separator: " ")
        case .text, .none: "text"
        }
      let short = flag.short.map { "|-\($0)" } ?? ""
      text += "        --\(flag.name)\(short)) values='\(values)' ;;\n"
    }
    return text + "      esac\n"
  }

  // MARK: zsh

  private static func zsh(_ commands: [Command]) -> String {
    var cases = ""
    for command in commands {
      for group in command.verbGroups {
        let words = group.verbs.map { "'\($0.lastWord):\(zshEscaped($0.summary))'" }
        cases += """
                '\(command.name) \(group.word)')
                  local -a verbs
                  verbs=(\(words.joined(separator: " ")))
                  if (( CURRENT == 3 )); then _describe verb verbs; return; fi
                  shift 2 words
                  (( CURRENT -= 2 ))
                  case $words[1] in

          """
        for verb in group.verbs { cases += zshCase(verb.lastWord, verb) }
        cases += "          esac\n          ;;\n"
      }
      cases += zshCase("\(command.name)*", command)
    }
    let names = commands.map { "    '\($0.name):\(zshEscaped($0.summary))'" }
    return """
      #compdef rtinfer
      # zsh completion for rtinfer; made by: rtinfer completions zsh
      _rtinfer() {
        local -a commands
        commands=(
      \(names.joined(separator: "\n"))
        )
        if (( CURRENT == 2 )); then
          _describe command commands
          return
        fi
        local command=$words[2]
        shift words
        (( CURRENT-- ))
        local start=$command
        (( CURRENT > 2 )) && start="$command $words[2]"
        case $start in
      \(cases)  esac
      }
      if [[ $funcstack[1] == _rtinfer ]]; then
        _rtinfer "$@"
      else
        compdef _rtinfer rtinfer
      fi

      """
  }

  private static func zshCase(_ pattern: String, _ command: Command) -> String {
    var text = "      \(pattern))\n        _arguments -s \\\n"
    for flag in flags(command) { text += "          \(zshFlag(flag)) \\\n" }
    return text + "          \(zshOperands(command))\n        ;;\n"
  }

  private static func zshFlag(_ flag: Flag) -> String {
    let text = zshEscaped(flag.summary)
    let action =
      switch flag.argument {
      case .none: ""
      case .text(let name): ":\(name):"
      case .file: ":file:_files"
      case .folder: ":folder:_files -/"
      case .optionalFolder: "::folder:_files -/"
      case .choice(let words): ":value:(\(words.joined(separator: " ")))"
      }
    let equals = flag.argument == .optionalFolder ? "=-" : ""
    guard let short = flag.short else { return "'--\(flag.name)\(equals)[\(text)]\(action)'" }
    return "'(-\(short) --\(flag.name))'{-\(short),--\(flag.name)}'[\(text)]\(action)'"
  }

  private static func zshOperands(_ command: Command) -> String {
    let verbs = command.verbGroups.map(\.word).joined(separator: " ")
    if !verbs.isEmpty {
      return "'1:file or verb:{ _files; compadd -- \(verbs) }' '*:file:_files'"
    }
    return switch command.operands {
    case .none: "':: :'"
    case .word(let placeholder): "'1:\(placeholder.lowercased()):'"
    case .files: "'*:file:_files'"
    case .choice(let words): "'1:operand:(\(words.joined(separator: " ")))'"
    }
  }

  private static func zshEscaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "'": result += "'\\''"
      case "[", "]", ":", "\\": result += "\\\(character)"
      default: result.append(character)
      }
    }
    return result
  }

  // MARK: fish

  private static func fish(_ commands: [Command]) -> String {
    var text = "# fish completion for rtinfer; made by: rtinfer completions fish\n"
    text += "complete -c rtinfer -n __fish_use_subcommand -f\n"
    for command in commands {
      text += "complete -c rtinfer -n __fish_use_subcommand -f"
      text += " -a \(command.name) -d \(fishQuoted(command.summary))\n"
    }
    for command in commands.flatMap({ [$0] + $0.verbs }) {
      let seen = command.name.split(separator: " ").map { "__fish_seen_subcommand_from \($0)" }
      let condition = "-n '\(seen.joined(separator: "; and "))'"
      for flag in flags(command) {
        text += "complete -c rtinfer \(condition) -l \(flag.name)"
        if let short = flag.short { text += " -s \(short)" }
        switch flag.argument {
        case .none, .optionalFolder: break
        case .text: text += " -x"
        case .file: text += " -r -F"
        case .folder: text += " -x -a '(__fish_complete_directories)'"
        case .choice(let words): text += " -x -a '\(words.joined(separator: " "))'"
        }
        text += " -d \(fishQuoted(flag.summary))\n"
      }
      if case .choice(let words) = command.operands {
        text += "complete -c rtinfer \(condition) -f -a '\(words.joined(separator: " "))'\n"
      }
      for group in command.verbGroups {
        let inside = "__fish_seen_subcommand_from \(group.word)"
        let words = group.verbs.map(\.lastWord).joined(separator: " ")
        text += "complete -c rtinfer -n '\(seen[0]); and not \(inside)' -a \(group.word)\n"
        text += "complete -c rtinfer -n '\(seen[0]); and \(inside)' -f -a '\(words)'\n"
      }
    }
    return text
  }

  private static func fishQuoted(_ text: String) -> String {
    var result = "'"
    for character in text {
      if character == "'" || character == "\\" { result += "\\" }
      result.append(character)
    }
    return result + "'"
  }
}
