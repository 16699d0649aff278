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
