#!/bin/sh
# pagerduty.sh: tells PagerDuty how a deployment ended, from any machine with a shell. See --help, and
# docs/shell-script.md for how it differs from pagerduty-alert, whose settings, events and exit statuses it shares.

# Everything is in one function, so that the command of `run` can start before anything else is defined or assigned: it gets
# exactly the environment of this script. The last lines of the file call it.
pagerduty_sh() {
# The caller's shell may have -e or -x on, in SHELLOPTS too: a command that fails is to be reported, and no trace shows keys.
set -uf +ex
# Bytes everywhere: no locale decides what a letter is. jq reads UTF-8 anyway.
export LC_ALL=C

VERSION=0.1.0

usage() {
  cat <<'END'
pagerduty.sh: tells PagerDuty what a deployment did

  pagerduty.sh success             a change event; the alert of an earlier failure is resolved
  pagerduty.sh failure             an alert, one per repository and environment
  pagerduty.sh started --within 30m  tells the relay: if no outcome follows in time, somebody is paged
  pagerduty.sh run CMD [ARG...]    runs CMD, reports its outcome, ends with its status
  pagerduty.sh change | trigger    one event from PAGERDUTY_SUMMARY and the other settings
  pagerduty.sh acknowledge | resolve

To send directly to PagerDuty it needs PAGERDUTY_TOKEN, curl 7.58 and jq 1.5, or newer.
With PAGERDUTY_RELAY_URL it sends through the relay, which has the key: curl or wget is enough.

Options: --dry-run, --rollback, and --NAME VALUE in place of a variable PAGERDUTY_NAME, such as --environment.
Exit status: 0 accepted, 64 usage, 65 refused, 75 not delivered in time, 78 configuration; run: CMD's.
END
}

say() { printf 'pagerduty.sh: %s\n' "$*" >&2; }

# fail STATUS MESSAGE...
fail() {
  failure=$1
  shift
  say "error: $*"
  exit "$failure"
}

has() { command -v "$1" >/dev/null 2>&1; }

# --- Settings ---------------------------------------------------------------------------------------------------------

# shown WORD: the word after a space, unless it has more than letters and dashes: a key in the wrong place is not repeated.
shown() { case $1 in *[!A-Za-z._-]*) ;; *) printf ' %s' "$1" ;; esac }

# set_option --NAME VALUE: an option wins over its variable by replacing it.
set_option() {
  case $1 in
    --summary | --severity | --source | --component | --group | --class | --environment | --step | --details) ;;
    --within) has_within=1 ;;
    --client | --client-url | --dedup-key | --as | --resolve | --failure-as | --after | --status | --region | --deadline | --timeout) ;;
    *) fail 64 "unknown option$(shown "$1"); see pagerduty.sh --help" ;;
  esac
  name=$(printf %s "${1#--}" | tr '[:lower:]-' '[:upper:]_')
  export "PAGERDUTY_$name=$2"
}

trim() {
  trimmed=${1#"${1%%[![:space:]]*}"}
  printf %s "${trimmed%"${trimmed##*[![:space:]]}"}"
}

# setting NAME: the variable's value without white space around it and without one pair of quotes.
setting() {
  eval "value=\${$1-}"
  value=$(trim "$value")
  case $value in
    \"*\" | \'*\') value=${value#?} value=${value%?} ;;
  esac
  trim "$value"
}

# is_reference TEXT: whether it only names a variable, as $NAME, ${NAME}, $(NAME) or %NAME%, which nothing has replaced.
is_reference() {
  # shellcheck disable=SC2016 # not to be expanded here either
  case $1 in
    '$('*')' | '${'*'}' | '%'*[!%]*'%') ;;
    '$'?*) case ${1#?} in *[!A-Za-z0-9_:]*) return 1 ;; esac ;;
    *) return 1 ;;
  esac
}

# secret NAME: the variable's value, or the content of the file that NAME_FILE names.
secret() {
  direct=$(setting "$1")
  file=$(setting "$1_FILE")
  [ -n "$file" ] || { printf %s "$direct" && return; }
  [ -z "$direct" ] || fail 78 "$1 and $1_FILE are both set; unset one of them"
  # bash warns of the NULs that it drops.
  { content=$(head -c 65536 -- "$file" 2>/dev/null); } 2>/dev/null ||
    fail 78 "$1_FILE: the file that it names cannot be read"
  # Windows puts a mark in front. In its UTF-16 every other byte of a key is NUL, which is gone already.
  for mark in '\0357\0273\0277' '\0377\0376' '\0376\0377'; do content=${content#"$(printf %b "$mark")"}; done
  content=$(setting content)
  [ -n "$content" ] || fail 78 "$1_FILE: the file that it names is empty"
  printf %s "$content"
}

# seconds NAME DEFAULT: a duration such as 500ms, 90s or 2m, in whole seconds, rounded up.
seconds() {
  duration=$(setting "$1")
  printf '%s\n' "${duration:-$2}" | awk '
    BEGIN { unit["ms"] = 0.001; unit["s"] = unit[""] = 1; unit["m"] = 60; unit["h"] = 3600 }
    tolower($0) ~ /^[0-9]+(\.[0-9]+)?[ \t]*(ms|s|m|h)?$/ {
      name = tolower($0); gsub(/[0-9. \t]/, "", name)
      total = ($0 + 0) * unit[name]
      whole = int(total) + (total > int(total))
      if (total >= 0.001 && total <= 86400) { print whole; found = 1 }
    }
    END { exit !found }' || fail 64 "$1: must be a duration such as 500ms, 90s or 2m, at most 24h"
}

# base_url NAME DEFAULT: an http(s) address without a trailing slash, and without the path of its requests.
base_url() {
  url=$(setting "$1")
  url=${url:-$2}
  case $url in
    "") ;;
    *@* | *\?* | *\#* | *[[:space:]\"\\]*)
      fail 64 "$1: must be an http(s) URL without user name, password, query and fragment" ;;
    http://?* | https://?*) ;;
    *) fail 64 "$1: must be an http(s) URL" ;;
  esac
  for path in '' /v2/enqueue /v2/change/enqueue; do
    url=${url%"$path"}
    while [ "${url%/}" != "$url" ]; do url=${url%/}; done
  done
  printf %s "$url"
}

events_url() {
  region=$(setting PAGERDUTY_REGION | tr '[:upper:]' '[:lower:]')
  case $region in
    us | '') base_url PAGERDUTY_EVENTS_URL https://events.pagerduty.com ;;
    eu) base_url PAGERDUTY_EVENTS_URL https://events.eu.pagerduty.com ;;
    *) fail 64 'PAGERDUTY_REGION: must be one of us, eu' ;;
  esac
}

# routing_keys: the keys, one per line, each as NAME=KEY. Its name is the alias, or the masked key.
routing_keys() {
  name=PAGERDUTY_ROUTING_KEY
  list=$(secret "$name") || exit
  if [ -z "$list" ]; then
    name=PAGERDUTY_TOKEN
    list=$(secret "$name") || exit
  fi
  [ -z "$(setting "${name}_FILE")" ] || name=${name}_FILE
  known=
  [ -n "$list" ] || [ -n "$dry_run" ] || fail 78 'no key is set: put the Integration Key of an Events API v2' \
    'integration into PAGERDUTY_TOKEN (or PAGERDUTY_TOKEN_FILE), or the address of a relay into PAGERDUTY_RELAY_URL'
  while [ -n "$list" ]; do
    case $list in
      *,*) key=${list%%,*} list=${list#*,} ;;
      *) key=$list list= ;;
    esac
    alias=$(trim "${key%%=*}")
    case $key in *=*) key=$(trim "${key#*=}") ;; *) key=$(trim "$key") alias= ;; esac
    is_reference "$key" && fail 78 "$name: is a reference to a variable that was never replaced; define that" \
      'variable for this build, with an Events API v2 integration key (32 letters and digits) as its value'
    case ${#key}:$key in
      20:* | *[+_-]*) wrong='this looks like a REST API token' ;;
      32:*[!A-Za-z0-9]*) wrong='this contains characters other than letters and digits' ;;
      32:*) wrong= ;;
      *) wrong="this has ${#key} characters" ;;
    esac
    [ -z "$wrong" ] || fail 78 "$name: $wrong; events need an Events API v2 integration key (32 letters and digits):" \
      'in PagerDuty open the service, tab Integrations, add "Events API V2" and copy its Integration Key'
    case $alias in '' | *[!A-Za-z0-9._-]*) alias=$(mask "$key") ;; esac
    case " $known " in *" $key "*) ;; *) printf '%s=%s\n' "$alias" "$key" ;; esac
    known="$known $key"
  done
}

# --- Events -----------------------------------------------------------------------------------------------------------

# plan COMMAND EXIT_CODE SECONDS: what to send and to print, one per line: a kind, words, and a body without its key. jq
# takes everything from the environment, so that nothing is visible in the process list.
plan() {
  has jq || fail 78 "$1 needs jq; success and failure do not if a relay is set (PAGERDUTY_RELAY_URL)"
  random=$(od -A n -N 16 -t x1 /dev/urandom | tr -d ' \n')
  set -- -n -r --arg command "$1" --arg exit_code "$2" --arg seconds "$3" --arg host "$(uname -n)" \
    --arg random "$random"
  key=$(jq "$@" --arg hash '' "$(program) full_key // empty") || exit 70
  # PagerDuty accepts 255 characters; a longer key ends in its hash.
  hash=$([ "${#key}" -le 255 ] || printf %s "$key" | sha256 | cut -c 1-64)
  jq "$@" --arg hash "$hash" "$(program) main" || exit 70
}

# sha256: the checksum of its input, by what Linux, macOS and everybody else has.
sha256() {
  if has sha256sum; then sha256sum; elif has shasum; then shasum -a 256; else openssl dgst -sha256 -r; fi
}

# The text of src/shell/events.jq; `npm run docs` puts it in. jq 1.5: no $ENV, no utf8bytelength, no walk. In its regular expressions ^ is the start of any line, so \A is used.
program() {
  cat <<'JQ'
# Text, by code point.
def space: . == 32 or (. >= 9 and . <= 13) or . == 160 or . == 5760 or (. >= 8192 and . <= 8202)
  or . == 8232 or . == 8233 or . == 8239 or . == 8287 or . == 12288 or . == 65279;
def control: . < 32 or (. >= 127 and . <= 159) or (. >= 8234 and . <= 8238) or (. >= 8294 and . <= 8297);
def trim: explode
  | until(length == 0 or (.[0] | space | not); .[1:])
  | until(length == 0 or (.[-1] | space | not); .[:-1])
  | implode;
def one_line: [explode[] | if space or control then 32 else . end]
  | implode | split(" ") | map(select(. != "")) | join(" ");
def first_line: if . == null then null else split("\n") | map(one_line) | map(select(. != "")) | .[0] end;
def bytes: [explode[] | if . < 128 then 1 elif . < 2048 then 2 elif . < 65536 then 3 else 4 end] | add // 0;
def units: [explode[] | if . > 65535 then 2 else 1 end] | add // 0;
def cut($max): if units <= $max then . else
  [foreach explode[] as $code (0; . + (if $code > 65535 then 2 else 1 end); select(. < $max) | $code)] | implode + "…"
  end;
def present: with_entries(select(.value != null));
def prefixed($before): if . == null or . == "" then "" else $before + . end;

# Settings; each problem is one object among the results.
def is_quoted: length > 1 and .[0:1] == .[-1:] and (.[0:1] == "\"" or .[0:1] == "'");
def is_reference: test("\\A(\\$(env:)?[A-Z_]\\w*|\\$\\{\\{?[^}]*\\}\\}?|\\$\\([\\w.]*\\)|%[\\w.]+%)\\z"; "i");
def given($name): env["PAGERDUTY_" + $name] // "" | trim | (if is_quoted then .[1:-1] | trim else . end)
  | if . == "" then null else . end;
# Texts that count as unset if nothing has replaced the reference that they are, as in src/config/sources.ts.
def unreplaced: ["SOURCE", "COMPONENT", "GROUP", "CLASS", "ENVIRONMENT", "STEP", "CLIENT", "CLIENT_URL", "DEDUP_KEY"]
  | map(. as $name | select(given($name) | . != null and is_reference));
unreplaced as $unreplaced |
def setting($name): if $unreplaced | index($name) then null else given($name) end;
def is_url: test("\\Ahttps?://[^\\s/?#]+([/?#]|\\z)"; "i");
def choice($name; $known): setting($name) | if . == null then null else ascii_downcase end;
def json($name): setting($name) | if . == null then null else (try fromjson catch "invalid") end;
def without_nulls: if type == "object" then with_entries(select(.value != null) | .value |= without_nulls)
  elif type == "array" then map(select(. != null) | without_nulls) else . end;
def filled: . != null and (type != "string" or (trim != ""));
def text: if type == "string" then . else tojson end;
# A JSON list of objects, or one of them without brackets; a text stands for an object with that member.
def entries($name; $member): json($name) | if . == null then [] elif type == "array" then . else [.] end
  | map(if type == "string" then {($member): .} else . end);
def has_address: .href | filled and (text | is_url);
def is_image: .src | filled and (text | is_url and test("\\Ahttps:"; "i"));
def links: entries("LINKS"; "href") | map(select(has_address)
  | {href: (.href | text), text: (.text | if filled then text else null end)} | present);
def images: entries("IMAGES"; "src") | map(select(is_image)
  | {src: (.src | text), href: (if has_address then .href | text else null end),
     alt: (.alt | if filled then text else null end)} | present);
def client_url: setting("CLIENT_URL") | if . != null and is_url then . else null end;

# The build, from the variables of Codeship Basic and Pro, wherever they are present.
def meaningful: if . == null then null else trim | if . == ""
  or test("\\A(0+|false|undefined|null|<no value>|\\{\\{[^}]*\\}\\})\\z"; "i") or is_reference
  then null else . end end;
def meaningful_url: meaningful | if . == null or (is_url | not) or test("/(undefined|null)([/?#]|\\z)") then null
  else sub("//[^/@]*@"; "//") end;
# What the name of a ref says: the branch, the tag, the pull request that it was made for, or nothing. The same forms as in
# src/ci/normalize-ref.ts.
def is_detached: test("\\A\\(?(HEAD|detached|no branch)(\\z|[ )])|\\A\\(detached from|\\Arefs/HEAD\\z"; "i");
def parse_ref:
  if . == null or is_detached then {}
  elif test("\\A(refs/)?tags/") then sub("\\A(refs/)?tags/"; "") | meaningful | {branch: ., tag: .}
  else sub("\\A(refs/heads/|(refs/)?remotes/[^/]+/|heads/)"; "") | meaningful
    | if . == null or is_detached then {}
      elif test("\\Agh-readonly-queue/.+/pr-[0-9]+-[0-9a-f]+\\z") then
        capture("\\Agh-readonly-queue/(?<branch>.+)/pr-(?<pull_request>[0-9]+)-[0-9a-f]+\\z")
      elif test("\\Atrunk-merge/pr-[0-9]+/") then {pull_request: capture("/pr-(?<number>[0-9]+)/").number}
      elif test("\\A(trunk-merge/|mergify/merge-queue/|gtmq_)") then {}
      elif test("\\Arefs/changes/[0-9]{2}/[0-9]+/[0-9]+\\z") then
        {pull_request: capture("/[0-9]{2}/(?<number>[0-9]+)/").number}
      elif test("\\A((refs/)?pull/[0-9]+(/(head|merge))?|[0-9]+/(head|merge)"
          + "|(refs/(remotes/)?)?(origin/)?pr/[0-9]+(/(head|merge))?|(PR|MR)-[0-9]+(-(head|merge))?"
          + "|(refs/)?pull-requests/[0-9]+(/(from|merge|merge-clean))?"
          + "|(refs/)?merge-requests/[0-9]+(/(head|merge|train))?)\\z") then
        {pull_request: capture("(?<number>[0-9]+)").number}
      else {branch: .} end
  end;
def is_uuid: . != null and test("\\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\z"; "i");
# The parts of a repository's address: a URL, a page without a scheme, or Git's short form. Null if it is none of them.
def address:
  if test("\\A[a-z+]+://"; "i") then
    if test("\\A(https?|git\\+https|ssh|git|git\\+ssh)://[^/\\s]+/+[^/]"; "i")
    then capture("\\A(?<scheme>[^:]+)://(?<server>[^/]+)/(?<path>.+)\\z") else null end
  elif test("\\A[\\w-]+(\\.[\\w-]+)+(:[0-9]+)?/[^/\\s]+/\\S+\\z") then
    capture("\\A(?<server>[^/]+)/(?<path>.+)\\z") + {scheme: "https"}
  elif test("\\A([^@/\\s]+@)?[\\w-]+(\\.[\\w-]+)+:.+\\z") then
    capture("\\A(?<server>([^@/]+@)?[^:]+):/?([0-9]+/(?=[^/]+/))?(?<path>.+)\\z") + {scheme: "ssh"}
  else null end;
# The web page of the repository, without credentials, as in src/ci/repository-url.ts.
def page: setting("REPOSITORY_URL") | if . == null then null else address | if . == null then "invalid" else
  (.server | sub("\\A.*@"; "") | ascii_downcase) as $server
  | (if .scheme | test("https?\\z"; "i") then $server else $server | sub(":[0-9]+\\z"; "") end) as $name
  | ({"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com", "altssh.bitbucket.org": "bitbucket.org"}[$name] // $name)
    as $host
  | (.path | sub("[?#].*\\z"; "") | gsub("//+"; "/") | sub("\\A/"; "") | sub("/\\z"; "")
    | sub("/(-|browse)(/.*)?\\z"; "") | sub("\\.git\\z"; ""; "i")) as $path
  | (if .scheme | test("\\Ahttp\\z"; "i") then "http" else "https" end) + "://" + $host + "/"
    + (if $host == "github.com" or $host == "bitbucket.org" then $path | split("/") | .[:2] | join("/") else $path end)
  end end;
def page_path: sub("\\Ahttps?://[^/]*/"; "");
def forge($page; $github; $gitlab; $bitbucket): if ($page | test("\\Ahttps?://bitbucket\\.org/"; "i")) then $bitbucket
  elif ($page | test("\\Ahttps?://([^/]*[.-])?gitlab[.-]"; "i")) then $gitlab else $github end;
# The pull request that a commit merged, and the tag before it, as in src/ci/detect-build.ts.
def merged_pull_request: if . == null then null else
  [ (split("\n")[0] | capture(
      "\\AMerge pull request #(?<number>[0-9]+) from ", "\\AMerged in .+ \\(pull request #(?<number>[0-9]+)\\)",
      "\\APull request #(?<number>[0-9]+): ", "\\AMerged PR (?<number>[0-9]+): ", "\\A.+ \\(#(?<number>[0-9]+)\\)\\z")),
    (split("\n")[] | capture("\\ASee merge request ([^\\s!]+)?!(?<number>[0-9]+)\\z")) ] | .[0].number end;
def last_tag: if . == null then null else [capture("\\A(?<tag>.+)-[1-9][0-9]*-g[0-9a-f]+\\z")] | .[0].tag end;
def encoded: split("/") | map(@uri) | join("/");
def build:
  page as $page
  | (env.CI_NAME | meaningful) as $name
  | (env.CI_PROJECT_ID | meaningful) as $project
  | (env.CI_BUILD_ID | meaningful) as $id
  | (env.CI_COMMIT_ID | meaningful) as $commit
  | (env.CI_BUILD_URL // "" | if test("/projects/[^/]+/builds/") then capture("/projects/(?<id>[^/]+)/builds/").id
      else null end) as $numeric
  | ((env.CI_PR_NUMBER | meaningful) // (env.CI_PULL_REQUEST // "" | trim | if test("(\\A|/)[0-9]+/?\\z")
      then capture("(?<number>[0-9]+)/?\\z").number else null end)) as $given_pull_request
  | (env.CI_BRANCH | meaningful | parse_ref) as $ref
  | ((env.CI_COMMIT_MESSAGE | meaningful) // (env.CI_MESSAGE | meaningful)) as $message
  | (env.CI_COMMIT_DESCRIPTION | meaningful) as $description
  | ($description | last_tag) as $base
  | ($given_pull_request // $ref.pull_request // ($message | merged_pull_request)) as $pull_request
  | (if $name != null then (if ($name | ascii_downcase) == "codeship" then "Codeship" else $name end)
     elif ($project | is_uuid) and ($id | is_uuid) then "Codeship" else null end) as $ci
  | {
      ci: $ci,
      repository: ((env.CI_REPO_NAME | meaningful) // ($page | if . == null then null else page_path end)),
      branch: $ref.branch,
      tag: $ref.tag,
      commit: $commit,
      message: $message,
      description: $description,
      base: $base,
      committer: ((env.CI_COMMITTER_NAME | meaningful) // (env.CI_COMMITTER_USERNAME | meaningful)
        // (env.CI_COMMITTER_EMAIL | meaningful)),
      id: ($id // (env.CI_BUILD_NUMBER | meaningful)),
      project: ($project // $numeric),
      pull_request: $pull_request,
      approved: (if (env.CI_BUILD_APPROVED // "" | trim | ascii_downcase) == "true" then true else null end),
      url: ((env.CI_BUILD_URL | meaningful_url) // (if $ci == "Codeship" and $project != null and $id != null
        then "https://app.codeship.com/projects/\($project | @uri)/builds/\($id | @uri)" else null end)),
      commit_url: (if $page == null or $commit == null then null
        else $page + forge($page; "/commit/"; "/-/commit/"; "/commits/") + ($commit | @uri) end),
      compare_url: (if $page == null or $commit == null or $base == null then null
        else ($base | encoded) as $from | ($commit | @uri) as $to | $page
          + forge($page; "/compare/\($from)...\($to)"; "/-/compare/\($from)...\($to)"; "/branches/compare/\($to)%0D\($from)") end),
      pull_request_url: ((env.CI_PULL_REQUEST | meaningful_url) // (if $page == null or $pull_request == null then null
        else $page + forge($page; "/pull/"; "/-/merge_requests/"; "/pull-requests/") + $pull_request end)),
    };
build as $build |
# A later build never deploys to a tag again.
def environment: setting("ENVIRONMENT") // (if $build.tag == null then $build.branch else null end);
def source: setting("SOURCE") // $build.repository // $host;
def usual_key: if $build.repository == null then null
  else ["deploy", $build.repository, environment, setting("STEP")] | map(select(. != null)) | join("/") end;
def full_key: setting("DEDUP_KEY") // usual_key;
def limit_key: if . == null or units <= 255 then . else cut(190) + "-" + $hash end;

def is_rollback: choice("ROLLBACK"; []) | . == "true" or . == "1" or . == "yes";

# Summaries.
def short_commit: $build.commit | if . != null and test("\\A[0-9a-f]{8,64}\\z"; "i") then .[0:7] else . end;
def outcome: if $command == "soft-failure" then "failure"
  elif $command == "success" or $command == "failure" or $command == "cancelled" then $command else null end;
def failed_code: if $exit_code == "" or outcome == "success" then null else $exit_code end;
def duration: if $seconds == "" then null else ($seconds | tonumber) as $s
  | if $s < 60 then "\($s) s" elif $s < 3600 then "\($s / 60 | floor) min \($s % 60) s"
    else "\($s / 3600 | floor) h \($s % 3600 / 60 | floor) min" end end;
def facts: $build | {
  repository, branch, commit, shortCommit: short_commit, message: (.message | first_line), committer,
  environment: environment, buildId: .id, outcome: outcome, exitCode: failed_code, duration: duration };
def references: split("{{") | .[1:] | map(select(contains("}}")) | split("}}")[0] | trim);
def render: facts as $facts | split("{{") | .[0] + (.[1:] | map(
  if contains("}}") then split("}}") | ($facts[.[0] | trim] // "") + (.[1:] | join("}}")) else "{{" + . end) | join(""))
  | trim;
def default_summary:
  ([$build.repository, short_commit] | map(select(. != null)) | join("@")) as $what
  | (environment | prefixed(if is_rollback and outcome == "success" then " in " else " to " end)) as $where
  | (if is_rollback then "Rollback" else "Deployment" end) as $noun
  | ($build.message | first_line) as $message
  | if outcome == null then "Event from " + source
    elif outcome == "success" and $what + $where == "" then $noun + " succeeded"
    elif outcome == "success" then (if is_rollback then "Rolled back" else "Deployed" end) + ($what | prefixed(" ")) + $where
      + ($build.committer | prefixed(" by ")) + ($message | prefixed(": ")) | one_line
    else $noun + ($what | prefixed(" of ")) + $where
      + (if outcome == "cancelled" then " was cancelled" else " failed"
         + (failed_code | prefixed(" with exit status ")) end)
      + ([$build.committer, $message] | map(select(. != null)) | join(": ") | if . == "" then "" else " (\(.))" end)
      | one_line
    end;
def summary: (setting("SUMMARY") | if . == null then "" else render end) as $own
  | if $own == "" then default_summary else $own end;

# Events within PagerDuty's limits.
def iso($seconds): $seconds | strftime("%Y-%m-%dT%H:%M:%SZ");
def details: (if outcome == null then {} else $build | {
    outcome: outcome, rollback: (if is_rollback then true else null end), ci, environment: environment, step: setting("STEP"), repository, branch, commit,
    commit_message: .message, commit_description: .description, committer, build_id: .id, project_id: .project,
    pull_request: (.pull_request // .pull_request_url), approved,
    exit_code: (failed_code | if . == null then null else tonumber end),
    started_at: (if $seconds == "" then null else iso((now | floor) - ($seconds | tonumber)) end),
    duration_seconds: (if $seconds == "" then null else ($seconds | tonumber) end) } | present end)
  + ((json("DETAILS") | without_nulls) // {});
def build_links: if outcome == null then [] else $build | [
    (select(.url) | {href: .url, text: ([.ci, "build"] | map(select(. != null)) | join(" "))}),
    (select(.commit_url) | {href: .commit_url, text: "Commit \(short_commit)"}),
    (select(.compare_url) | {href: .compare_url, text: "Changes since \(.base)"}),
    (select(.pull_request_url) | {href: .pull_request_url,
      text: (if .pull_request == null then "Pull request" else "Pull request #\(.pull_request)" end)}) ] end;
def attachments: {links: (build_links + links), images: images} | with_entries(select(.value | length > 0));
def payload: {summary: summary, source: source, timestamp: iso(now | floor),
  custom_details: (details | if length == 0 then null else . end)} | present;
def listed($names): if $names == [] then . else
  .payload.custom_details[if .payload.custom_details // {} | has("truncated") then "truncated_fields" else "truncated" end]
    = $names end;
def is_long: (type == "string") and units > 1024;
def fit($max_links):
  (.payload.summary | units > 1024) as $long
  | (.links // [] | length > $max_links) as $many
  | (if $long then (.payload.custom_details // {}) as $details | .payload.custom_details = $details
      + (if $details | has("summary") | not then {summary: .payload.summary} else {full_summary: .payload.summary} end)
      | .payload.summary |= cut(1024) else . end)
  | (if $many then .links |= .[:$max_links] else . end)
  | ([if $long then "summary" else empty end, if $many then "links" else empty end]) as $cut
  | if (listed($cut) | tojson | bytes) <= 511900 then listed($cut) else
      ([.payload | (.custom_details // {}, .) | to_entries[] | select(.value | is_long) | .key]) as $texts
      | .payload |= with_entries(if .value | is_long then .value |= cut(1024) else . end)
      | .payload.custom_details |= with_entries(if .value | is_long then .value |= cut(1024) else . end)
      | if (listed($cut + $texts) | tojson | bytes) <= 511900 then listed($cut + $texts)
        else del(.links, .images, .payload.custom_details) | listed(["custom_details", "links", "images"]) end
    end;
# A change event has no such fields, so the user's values go into the details; so does a dedup key that nobody can tell from
# the build.
def unusual_key: full_key | if . == null or outcome == null or setting("DEDUP_KEY") == null then null
  elif . == usual_key then null else limit_key end;
def own_fields: {component: setting("COMPONENT"), group: setting("GROUP"), class: setting("CLASS"), client: setting("CLIENT"),
  client_url: client_url, dedup_key: unusual_key} | present;
def change: own_fields as $given
  | {payload: (payload | if $given == {} then . else .custom_details |= $given + . end)} + attachments | fit(50);
def trigger($key): (outcome != null) as $is_deployment | {
    event_action: "trigger",
    dedup_key: $key,
    payload: (payload + ({
      severity: (choice("SEVERITY"; []) // (if outcome == "success" then "info" else "error" end)),
      component: (setting("COMPONENT") // (if $is_deployment then $build.repository else null end)),
      group: (setting("GROUP") // (if $is_deployment then environment else null end)),
      class: (setting("CLASS") // (if $is_deployment then (if is_rollback then "rollback" else "deploy" end) else null end)) } | present)) }
  + attachments
  + ({client: (setting("CLIENT") // (if $is_deployment then $build.ci else null end)),
      client_url: (client_url // (if $is_deployment then $build.url else null end))} | present)
  | fit(1000000);
def follow_up($action; $key): {event_action: $action, dedup_key: $key};

def problems:
  def one_of($name; $known): choice($name; $known)
    | if . == null or ([.] | inside($known)) then empty else "PAGERDUTY_\($name): must be one of \($known | join(", "))" end;
  def list_of($name; $member): if json($name) == "invalid" or any(entries($name; $member)[]; type != "object")
    then "PAGERDUTY_\($name): must be a JSON list of objects with \($member)" else empty end;
  one_of("SEVERITY"; ["critical", "error", "warning", "info"]),
  one_of("FAILURE_AS"; ["alert", "change"]),
  one_of("ROLLBACK"; ["true", "1", "yes", "false", "0", "no"]),
  one_of("AS"; ["change", "alert", "both"]),
  one_of("RESOLVE"; ["auto", "never"]),
  (json("DETAILS") | if . == null or type == "object" then empty else "PAGERDUTY_DETAILS: must be a JSON object" end),
  list_of("LINKS"; "href"),
  list_of("IMAGES"; "src"),
  (page | if . == null or is_url then empty
    else "PAGERDUTY_REPOSITORY_URL: must be an address such as https://github.com/acme/shop" end),
  (setting("SUMMARY") | if . == null then empty else (references - (facts | keys))[]
    | "PAGERDUTY_SUMMARY: has an unknown name; expected one of \(facts | keys_unsorted | join(", "))" end);
def needs: if ($command == "change" or $command == "trigger") and setting("SUMMARY") == null
    then "\($command) needs PAGERDUTY_SUMMARY (or --summary)"
  elif ($command == "acknowledge" or $command == "resolve") and full_key == null
    then "\($command) needs PAGERDUTY_DEDUP_KEY (or --dedup-key): there is no build to derive it from"
  else empty end;
def events: (full_key | limit_key) as $key
  | ($key // "pagerduty-alert/\($random)") as $own
  | (choice("AS"; []) // "change") as $form
  | if $command == "success" then
      (if $form != "alert" then change else empty end),
      (if $form != "change" then trigger(if $key == null then $own elif ($key + "#success" | units) <= 255
        then $key + "#success" else "deploy/" + $hash + "#success" end) else empty end),
      (if choice("RESOLVE"; []) != "never" and $key != null then follow_up("resolve"; $key) else empty end)
    elif $command == "failure" and choice("FAILURE_AS"; []) == "change" then change
    elif $command == "failure" or $command == "trigger" then trigger($own)
    elif $command == "acknowledge" or $command == "resolve" then follow_up($command; $key)
    else change end;
def dropped($name; $given; $kept; $what; $why): ($given | length) as $all | ($all - ($kept | length)) as $count
  | if $count == 0 then empty else "PAGERDUTY_\($name): \($count) of \($all) \($what) dropped: \($why)" end;
def warning: ($unreplaced[] | "PAGERDUTY_\(.): is a reference to a variable that was never replaced, so it counts as unset"),
  (dropped("LINKS"; entries("LINKS"; "href"); links; "links"; "href must be an http(s) URL")),
  (dropped("IMAGES"; entries("IMAGES"; "src"); images; "images"; "src must be an https URL")),
  (if any(entries("IMAGES"; "src")[]; is_image and (.href | filled) and (has_address | not))
    then "PAGERDUTY_IMAGES: images[].href must be an http(s) URL, so it is left out" else empty end),
  (setting("CLIENT_URL") | select(. != null and (is_url | not))
    | "PAGERDUTY_CLIENT_URL: client_url must be an http(s) URL, so it is left out"),
  if $command == "failure" and full_key == null and choice("FAILURE_AS"; []) != "change"
    then "no repository is known, so the alert gets a random dedup key and no later success resolves it"
  elif $command == "success" and full_key == null and choice("RESOLVE"; []) != "never"
    then "no repository and no dedup key is known, so no failure alert is resolved"
  else empty end;
def line($kind; $words; $body): "\($kind)\t\($words | one_line)\t\($body)";
def main: [problems, needs] as $problems
  | if $problems != [] then $problems[] | line("problem"; .; ".") else
      (warning | line("warning"; .; ".")),
      (events | if .event_action == null then line("change"; "change event"; tojson) else
        line("alert"; "\(.event_action) of \(.dedup_key)"; tojson),
        (if $command == "trigger" then line("print"; .dedup_key; ".") else empty end) end)
    end;
JQ
}

# --- Delivery ---------------------------------------------------------------------------------------------------------

# mask SECRET: its last four characters; nothing of a secret that is too short for that.
mask() {
  case $1 in
    ????????????*) printf '…%s' "${1#"${1%????}"}" ;;
    *) printf '…' ;;
  esac
}

# masked TEXT: on one line, without secrets that it echoes, whole or cut off. One pass from left to right: a mask is
# never searched again, since it may contain a short secret.
masked() {
  {
    for named in $keys; do printf '%s ' "${named#*=}"; done
    printf '%s\n' "$relay_token"
    printf %s "$1" | tr -s '[:cntrl:][:space:]' ' '
  } | awk '
    NR == 1 { count = split($0, secrets, " "); next }
    { text = $0 }
    END {
      while (length(shown) < 500) {
        first = 0
        for (i = 1; i <= count; i++) {
          at = index(text, secrets[i])
          if (at == 0 || (first > 0 && (at > first || (at == first && length(secrets[i]) < size)))) continue
          first = at; size = length(secrets[i])
          mask = "…" (size < 12 ? "" : substr(secrets[i], size - 3))
        }
        if (first == 0) break
        shown = shown substr(text, 1, first - 1) mask
        text = substr(text, first + size)
      }
      for (i = 1; i <= count; i++) {
        for (size = length(secrets[i]) - 1; size >= 4; size--) {
          at = length(text) - size
          if (at >= 0 && substr(text, at + 1) == substr(secrets[i], 1, size)) { text = substr(text, 1, at) "…"; break }
        }
      }
      printf "%s", shown text
    }' | cut -c 1-500
}

# wait_for PID: the status of a background command. Unlike a foreground command it lets traps run at once.
wait_for() {
  child=$1
  wait "$child"
  status=$?
  # A trap interrupts `wait`; only the command's own end counts.
  while [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null; do
    wait "$child"
    status=$?
  done
  child=
  return "$status"
}

# post_with_curl URL TYPE SECONDS: one POST of $body, which reaches curl through a pipe and never through its arguments.
post_with_curl() {
  printf %s "$body" | curl -q --silent --show-error --tlsv1.2 --proto '=http,https' --max-time "$3" \
    --config "$work/config" --header "content-type: $2" --header 'expect:' --user-agent "pagerduty.sh/$VERSION" \
    --dump-header "$work/head" --output "$work/answer" --write-out '%{http_code} %{http_connect}\n' \
    --data-binary @- "$1" >"$work/codes" 2>"$work/errors"
}

# post_with_wget URL TYPE SECONDS: the same for a body without a key, which may be in a file.
post_with_wget() {
  printf %s "$body" >"$work/body"
  seconds=$3
  set -- wget -S -O "$work/answer" --header "content-type: $2" --post-file "$work/body" "$1"
  if is_gnu_wget; then
    shift
    set -- wget --tries=1 --max-redirect=0 --content-on-error --timeout="$seconds" "$@"
  elif timeout 9 true 2>/dev/null; then
    # busybox's wget neither retries nor has a reliable time limit: some versions crash on -T.
    set -- timeout "$seconds" "$@"
  fi
  WGETRC="$work/config" "$@" 2>"$work/head"
  # Both print other things next to the status line and the headers.
  sed -n 's/.*HTTP\/[0-9.]* \([0-9][0-9][0-9]\).*/\1 000/p' "$work/head" | tail -n 1 >"$work/codes"
  tail -n 1 "$work/head" >"$work/errors"
}

is_gnu_wget() { case $(wget --version 2>/dev/null) in *GNU*) ;; *) return 1 ;; esac }

# post URL TYPE SECONDS: one attempt. Leaves `accepted`, `retry`, `refused` or `unreachable` in $outcome, the HTTP status
# in $code, the reason in $reason, and in $after the seconds that the server asked to wait.
post() {
  : >"$work/head"
  : >"$work/answer"
  if has curl; then post_with_curl "$@" & else post_with_wget "$@" & fi
  wait_for $!
  problem=$?
  read -r code connect <"$work/codes" || code=000 connect=000
  after=$(retry_after)
  reason="$code: $(masked "$(head -c 65536 "$work/answer" | tr -d '\000')")"
  case $code in
    2??) outcome=accepted ;;
    407) outcome=unreachable reason='the proxy does not accept the credentials (407)' ;;
    408 | 429 | 5??) outcome=retry ;;
    000)
      outcome=retry
      reason=$(masked "$(cat "$work/errors")")
      # curl's statuses for certificate errors, and for a proxy that refused to connect.
      case $problem in 51 | 58 | 60 | 77 | 82 | 83 | 90 | 91) outcome=unreachable ;; esac
      [ "$connect" != 407 ] || outcome=unreachable reason='the proxy does not accept the credentials (407)'
      ;;
    *) outcome=refused ;;
  esac
  if [ "$code" = 429 ] && [ -z "$after" ]; then after=30; fi # as PagerDuty advises
}

# retry_after: the seconds from now that a header names, as a number or as a date.
retry_after() {
  asked=$(tr -d '\r' <"$work/head" | sed -n 's/^ *[Rr]etry-[Aa]fter: *0*//p' | tail -n 1)
  case $asked in
    '') ;;
    *[!0-9.]*)
      at=$(date -u -d "$asked" +%s 2>/dev/null) || return 0
      left=$((at - $(date +%s)))
      echo "$((left > 0 ? left : 0))"
      ;;
    ??????????*) echo 999999999 ;;
    .* | *.*) whole=${asked%%.*} && echo "$((${whole:-0} + 1))" ;;
    *) echo "$asked" ;;
  esac
}

# deliver WHAT URL TYPE: sends the same bytes until they are accepted, refused or out of time. 0, 65 or 75.
deliver() {
  window=1
  attempt=1
  while :; do
    left=$((deadline_at - $(date +%s)))
    [ "$left" -ge 1 ] || left=1 # the first attempt is always made
    post "$2" "$3" "$((left < timeout ? left : timeout))"
    case $outcome in
      accepted)
        say "$1: accepted ($code)"
        return 0
        ;;
      refused)
        say "error: $1: refused with $reason"
        hint
        return 65
        ;;
    esac
    # Full jitter over a doubling window, in addition to the wait that the server asked for.
    delay=$((1 + $(od -A n -N 2 -t u2 /dev/urandom) % window))
    [ -z "$after" ] || delay=$((after + delay - 1))
    left=$((deadline_at - $(date +%s) - delay))
    if [ "$outcome" = unreachable ] || [ "$left" -le 0 ]; then
      say "error: $1: not delivered: $reason (attempts: $attempt)"
      return 75
    fi
    say "$1: attempt $attempt failed: $reason; next try in $delay s, $left s left after it"
    sleep "$delay" &
    wait_for $!
    attempt=$((attempt + 1))
    window=$((window < 32 ? window * 2 : 60))
  done
}

hint() {
  case $code:$reason in
    401:* | 403:*) [ -z "$relay" ] || say 'the relay requires its bearer token: set PAGERDUTY_RELAY_TOKEN' ;;
    *[Ii]nvalid\ routing\ key*)
      say 'no integration in this region has the key: copy it again, or set PAGERDUTY_REGION (us, eu)' ;;
    3??:*) say 'redirects are not followed: set PAGERDUTY_EVENTS_URL to the final address' ;;
  esac
}

# worse STATUS: the worst of all so far; a refusal is worse than a failed delivery.
worse() {
  case $1:$worst in
    65:* | 75:0) worst=$1 ;;
  esac
}

# --- Commands ---------------------------------------------------------------------------------------------------------

# report COMMAND [EXIT_CODE [SECONDS]]: builds the command's events and sends them. Exits the shell that it runs in.
report() {
  deadline=$(seconds PAGERDUTY_DEADLINE 60s) || exit
  timeout=$(seconds PAGERDUTY_TIMEOUT 10s) || exit
  deadline_at=$(($(date +%s) + deadline))
  relay=$(base_url PAGERDUTY_RELAY_URL '') || exit
  base=$relay
  [ -n "$base" ] || base=$(events_url) || exit
  relay_token=
  keys=
  worst=0
  # A container with a read-only root still has a writable /dev/shm.
  work=$(mktemp -d 2>/dev/null || mktemp -d /tmp/pagerduty.XXXXXX 2>/dev/null ||
    mktemp -d /dev/shm/pagerduty.XXXXXX 2>/dev/null) ||
    fail 78 'no temporary directory can be created: set TMPDIR to a folder that can be written to'
  trap 'rm -rf "$work"; [ -z "$child" ] || kill "$child" 2>/dev/null' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # curl reads this one only in lower case.
  export http_proxy="${http_proxy-${HTTP_PROXY-}}"
  case ${base#*://} in
    # To a proxy, loopback is its own machine.
    localhost | localhost[:/]* | *.localhost | *.localhost[:/]* | 127.[0-9]* | '[::1]'*)
      unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY
      ;;
  esac
  if [ -n "$relay" ]; then
    ask_relay "$@"
  elif [ "$1" = started ]; then
    fail 64 'nothing would watch the clock: started needs a relay (PAGERDUTY_RELAY_URL)'
  else
    send_events "$@"
  fi
  exit "$worst"
}

# Builds the events here and posts them to PagerDuty or to the relay.
send_events() {
  if [ -z "$relay" ]; then
    keys=$(routing_keys) || exit
    case $1:$(setting PAGERDUTY_AFTER) in
      success:?* | failure:?* | cancelled:?*)
        [ "$(setting PAGERDUTY_AFTER)" = 1 ] || fail 78 '--after (PAGERDUTY_AFTER) needs a relay, which counts the failures: set PAGERDUTY_RELAY_URL'
        ;;
    esac
    has curl || [ -n "$dry_run" ] || fail 78 'curl is required unless a relay is set (PAGERDUTY_RELAY_URL)'
    : >"$work/config"
  fi
  plan "$1" "${2-}" "${3-}" >"$work/plan" || exit
  while IFS="$tab" read -r kind words event <&4; do
    case $kind in
      problem) say "error: $words" && worst=64 ;;
      warning) say "warning: $words" ;;
      print) [ -n "$dry_run" ] || printf '%s\n' "$words" ;;
      alert) send "$words" /v2/enqueue "$event" ;;
      change) send "$words" /v2/change/enqueue "$event" ;;
    esac
  done 4<"$work/plan"
}

# send WHAT PATH EVENT: to every key. An event says what happened, a key says where to send it; they meet only here.
send() {
  for key in ${keys:-none}; do
    # Several keys are told apart by their names.
    case $keys in *[[:space:]]*) what="$1 (key ${key%%=*})" ;; *) what=$1 ;; esac
    key=${key#*=}
    if [ "$key" = none ]; then body=$3; else body="{\"routing_key\":\"$key\",${3#\{}"; fi
    if [ -z "$dry_run" ]; then
      deliver "$what" "$base$2" application/json
      worse "$?"
    else
      [ "$key" = none ] || body="{\"routing_key\":\"$(mask "$key")\",${3#\{}"
      printf '{"method":"POST","url":"%s","body":%s}\n' "$base$2" "$body"
    fi
  done
}

# The relay holds the key.
ask_relay() {
  relay_token=$(secret PAGERDUTY_RELAY_TOKEN) || exit
  case $relay_token in
    *[!!-~]* | *[\"\\]*) fail 78 'PAGERDUTY_RELAY_TOKEN: must be printable ASCII without spaces, quotes and backslashes' ;;
  esac
  : >"$work/config"
  if has curl; then
    [ -z "$relay_token" ] || printf 'header = "authorization: Bearer %s"\n' "$relay_token" >"$work/config"
  elif has wget; then
    [ -z "$relay_token" ] || is_gnu_wget ||
      fail 78 'PAGERDUTY_RELAY_TOKEN needs curl or GNU wget: this wget would show it in the process list'
    [ -z "$relay_token" ] || printf 'header = authorization: Bearer %s\n' "$relay_token" >"$work/config"
  else
    fail 78 'curl or wget is required'
  fi
  case $1 in
    success | failure | started) send_form "$1" "${2-}" ;;
    *) send_events "$@" ;;
  esac
}

# The relay knows the build too, so it only needs a form with what was set here.
send_form() {
  body=
  add_field summary "$(setting PAGERDUTY_SUMMARY)"
  add_field severity "$(setting PAGERDUTY_SEVERITY)"
  environment=$(setting PAGERDUTY_ENVIRONMENT)
  if is_reference "$environment"; then
    say 'warning: PAGERDUTY_ENVIRONMENT: is a reference to a variable that was never replaced, so it counts as unset'
    environment=
  fi
  add_field environment "$environment"
  add_field details "$(setting PAGERDUTY_DETAILS)"
  add_field links "$(setting PAGERDUTY_LINKS)"
  add_field rollback "$(setting PAGERDUTY_ROLLBACK)"
  if [ "$1" = started ]; then
    within=$(setting PAGERDUTY_WITHIN)
    [ -z "$within" ] || seconds PAGERDUTY_WITHIN '' >/dev/null || exit
    add_field within "$within"
  else
    add_field failure_as "$(setting PAGERDUTY_FAILURE_AS)"
    add_field after "$(setting PAGERDUTY_AFTER)"
  fi
  add_field exit_code "$2"
  if [ -n "$dry_run" ]; then
    printf '{"method":"POST","url":"%s","body":"%s"}\n' "$relay/$1" "$body"
  else
    deliver "$1" "$relay/$1" application/x-www-form-urlencoded
    worse "$?"
  fi
}

# add_field NAME VALUE: adds to the form in $body. Every byte is encoded, which is simple and always correct.
add_field() {
  [ -n "$2" ] || return 0
  body="$body${body:+&}$1=$(printf %s "$2" | od -A n -v -t x1 | tr -d ' \n' | sed 's/../%&/g')"
}

# run_command: waits for the command, which is already running. Its status is ours, whatever happens to the report.
run_command() {
  started_at=$(date +%s)
  wait_for "$child"
  code=$?
  trap : HUP INT QUIT TERM USR1 USR2 ALRM
  took=$(($(date +%s) - started_at))
  if [ "$code" -gt 128 ] && [ "${passed-}" = "$(kill -l "$code" 2>/dev/null) to $$" ]; then
    cancelled="by a signal to $$"
  fi
  if [ "${cancelled-}" = "by a signal to $$" ]; then
    export PAGERDUTY_DEADLINE=4s # what Docker leaves until SIGKILL is 10 s in all
    outcome=cancelled
  elif [ "$code" -eq 0 ]; then
    outcome=success
  else
    outcome=failure
  fi
  (report "$outcome" "$(if [ "$code" -ne 0 ]; then echo "$code"; fi)" "$took")
  exit "$code"
}

# from_status STATUS: the command and the exit status behind a CI's word or a number such as $?. The words are those of
# src/core/job-status.ts.
from_status() {
  case $(printf %s "$1" | tr '[:upper:]' '[:lower:]' | tr -d ' \t_-') in
    '') echo success ;;
    success | succeeded | successful | passed | pass | ok | true | fixed | stable | neutral | \
      succeededwithissues | partiallysucceeded | warning) echo success ;;
    failure | failed | fail | false | error | errored | broken | stillfailing | unstable | fault | \
      faulted | timedout | timeout | startupfailure | infrastructurefailure | infrastructurefail | \
      systemfailure | abandoned) echo failure ;;
    cancelled | canceled | cancelling | canceling | aborted | stopped | stopping | killed | \
      interrupted | superseded) echo cancelled ;;
    skipped | notbuilt | notrun | notexecuted | neverbuilt | ignored | declined) echo skipped ;;
    *)
      case $(printf %s "$1" | sed 's/^\(-\{0,1\}\)0*/\1/') in
        '' | -) echo success ;;
        *[!0-9-]* | ?*-* | ????????????*)
          say "PAGERDUTY_STATUS: unknown word, reported as a failure; expected success, failure, cancelled, skipped," \
            "a word of a common CI, or an exit status"
          echo failure
          ;;
        *) printf 'failure %s\n' "$1" | sed 's/ \(-\{0,1\}\)0*/ \1/' ;;
      esac
      ;;
  esac
}

# is_typed_alone: whether a person on a terminal, outside any CI, has named neither a command nor a status.
is_typed_alone() {
  [ -t 0 ] && [ -z "$(setting PAGERDUTY_STATUS)" ] || return 1
  for name in CI CI_NAME CI_REPO_NAME CI_BRANCH CI_COMMIT_ID CI_BUILD_ID; do
    case $(setting "$name") in '' | false | 0) ;; *) return 1 ;; esac
  done
}

# main go ARG...: everything the script does. main count ARG...: only `run` and how many words precede its command.
main() {
  command=
  dry_run=
  has_within=
  tab=$(printf '\t')
  mode=$1
  shift
  words=$#
  # What Codeship's steps put in front, and how they give no command.
  case ${1-} in pagerduty-alert | pagerduty.sh | */pagerduty.sh) shift ;; esac
  if [ "$*" = true ]; then shift; fi
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help | help) usage && exit ;;
      -V | --version) echo "$VERSION" && exit ;;
      --dry-run) dry_run=1 ;;
      --rollback) export PAGERDUTY_ROLLBACK=true ;;
      --) shift && break ;;
      --*=*) set_option "${1%%=*}" "${1#*=}" ;;
      -*)
        [ $# -ge 2 ] || fail 64 'the last option needs a value; see pagerduty.sh --help'
        set_option "$1" "$2"
        shift
        ;;
      *)
        [ "$command" != run ] || break
        [ -z "$command" ] || fail 64 "$command takes no argument"
        command=$1
        ;;
    esac
    shift
  done
  case $has_within$command in
    1started | started) ;;
    1*) fail 64 '--within is only for started' ;;
  esac
  case $command in
    run)
      [ $# -gt 0 ] || fail 64 'run needs a command: pagerduty.sh run CMD [ARG...]'
      [ "$mode" = go ] || { echo "run $((words - $#))" && exit; }
      run_command
      ;;
    success | failure | started | change | trigger | acknowledge | resolve) ;;
    '')
      if is_typed_alone; then
        usage >&2
        fail 64 'no command was given, so nothing was sent; name one, such as success (the default, but only in a CI build)'
      fi
      command=$(from_status "$(setting PAGERDUTY_STATUS)")
      ;;
    *) fail 64 "unknown command$(shown "$command"); expected one of success, failure, started, run, change, trigger, acknowledge, resolve" ;;
  esac
  [ "$mode" = go ] || exit
  if [ "$command" = skipped ]; then
    say 'nothing to report: the job was skipped'
    exit
  fi
  # shellcheck disable=SC2086 # a command and perhaps an exit status
  report $command
}

main "$@"
}

# start 'run COUNT' ARG...: becomes the command that COUNT words precede: a program, no function or builtin. When bash becomes
# another program, or starts one in the background, it decrements SHLVL.
pagerduty_sh_start() {
  shift "$((${1#run } + 1))"
  [ -z "${BASH_VERSION-}" ] || SHLVL=$((SHLVL + 1))
  exec "$@" <&9 9<&-
}

# A closed stdin, stdout or stderr would be the next file that is opened. Shells copy a descriptor to itself without looking.
(: 9<&0) 2>&- || exec </dev/null
(: 9>&1) 2>&- || exec >/dev/null
(: 9>&2) || exec 2>/dev/null

case "$*" in
  *run*) set -- "$(pagerduty_sh count "$@" 2>/dev/null)" "$@" ;;
  *) set -- '' "$@" ;;
esac
case $1 in
  'run '*)
    # A shell's background commands ignore INT and QUIT, so TERM is passed on for them. They have no stdin either,
    # unless it is another descriptor.
    trap 'cancelled="by a signal to $$"; [ -z "${!-}" ] || kill -s TERM "$!" 2>/dev/null' HUP INT QUIT TERM
    trap 'passed="USR1 to $$"; [ -z "${!-}" ] || kill -s USR1 "$!" 2>/dev/null' USR1
    trap 'passed="USR2 to $$"; [ -z "${!-}" ] || kill -s USR2 "$!" 2>/dev/null' USR2
    trap 'passed="ALRM to $$"; [ -z "${!-}" ] || kill -s ALRM "$!" 2>/dev/null' ALRM
    { pagerduty_sh_start "$@" & } 9<&0
    child=$!
    ;;
  *) child= ;;
esac
shift
pagerduty_sh go "$@"
