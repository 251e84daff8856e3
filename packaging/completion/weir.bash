# SPDX-License-Identifier: Apache-2.0
# Completion of weir for bash. It asks the program for its verbs and options, so it never knows more or less than the build.
_weir() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} help
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    help=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p')
    mapfile -t COMPREPLY < <(compgen -W "$help --help --version" -- "$word")
    return
  fi
  case $before in
    --for) [ "$verb" = check ] && mapfile -t COMPREPLY < <(compgen -W 'bridge host capture' -- "$word"); return ;;
    --to) mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" export --help 2>/dev/null | sed -n '/^Targets:/,/^$/s/^  \([a-z-]\{1,\}\) .*/\1/p')" -- "$word"); return ;;
    --from) mapfile -t COMPREPLY < <(compgen -W 'nftables suricata' -- "$word"); return ;;
    --ask-default) mapfile -t COMPREPLY < <(compgen -W 'allow deny' -- "$word"); return ;;
    --fail) mapfile -t COMPREPLY < <(compgen -W 'open closed' -- "$word"); return ;;
    --attach) mapfile -t COMPREPLY < <(compgen -W 'auto xdp xdp-generic packet' -- "$word"); return ;;
    --checksums) mapfile -t COMPREPLY < <(compgen -W 'auto verify ignore' -- "$word"); return ;;
    --workers|--flows-max|--packet|--stats|--bridge|--confirm|--count|--last|--limit|--every|--times|--match|--address|--watchdog|--port|--group|--mark|--hosts-max|--names-max|--ask-timeout) return ;;
  esac
  if [[ $word == -* ]]; then
    help=$("${COMP_WORDS[0]}" "$verb" --help 2>/dev/null | grep -o -- '^  -[^ ]*' | grep -o -- '--[a-z-]*')
    mapfile -t COMPREPLY < <(compgen -W "$help" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _weir weir
