#!/bin/sh
# Checks a proof folder without the program that wrote it: a POSIX shell, coreutils, xxd and OpenSSL 3 alone.
#
#     sh verify.sh [FOLDER] [--ca FILE]... [--key FILE] [--withheld]
#
# It ends with PROVEN and exit code 0, or with a line NOT PROVEN for each thing that is wrong, its code and
# its files, and exit code 6; 2 says that it was called wrongly, 5 that it could not check. VERIFY.md explains
# every code. verify.py says the same of the same folder.
set -u
LC_ALL=C
export LC_ALL
umask 077
dash=$(printf '\342\200\224')

usage() { echo 'usage: sh verify.sh [FOLDER] [--ca FILE]... [--key FILE] [--withheld]' >&2; exit 2; }
stop() { echo "CANNOT CHECK: $1" >&2; exit 5; }

for program in xxd openssl sha256sum base64 expr cut tr wc head tail od sort cmp date mktemp; do
  command -v "$program" >/dev/null 2>&1 || stop "the program $program is not there"
done
work=$(mktemp -d) || stop 'no temporary folder'
trap 'rm -rf "$work"' EXIT
trap 'exit 5' HUP INT TERM

folder='' authorities=0 known='' withheld=''
while [ $# -gt 0 ]; do
  case $1 in
    --ca) [ $# -ge 2 ] || usage
      [ -f "$2" ] || stop "$2 is not a file"
      authorities=$((authorities + 1)); cat <"$2" >"$work/authority$authorities" || stop "$2 cannot be read"; shift ;;
    --key) [ $# -ge 2 ] || usage
      [ -f "$2" ] || stop "$2 is not a file"
      known="$work/known"; cat <"$2" >"$known" || stop "$2 cannot be read"; shift ;;
    --withheld) withheld=1 ;;
    -*) usage ;;
    *) [ -z "$folder" ] || usage; folder=$1 ;;
  esac
  shift
done
[ -n "$folder" ] || folder=$(dirname "$0")
cd "$folder" 2>/dev/null || stop "$folder is not a folder"

# -- words that the parts below use ----------------------------------------------------------------------

no() { # a code, the files that disagree, a sentence
  printf 'NOT PROVEN: %s in %s: %s\n' "$1" "$2" "$3"
  : >"$work/wrong"
  return 1
}
shown() { printf %s "$1" | tr -c 'A-Za-z0-9._/-' '?'; }
hex() { xxd -p | tr -d '\n'; }                   # bytes in, hex out
sha() { xxd -r -p | sha256sum | cut -c1-64; }    # hex in, the SHA-256 of those bytes as hex out
unbase() { # canonical base64 as an argument, hex out; fails for any other
  printf %s "$1" | base64 -d >"$work/raw" 2>/dev/null || return 1
  [ "$(base64 -w0 <"$work/raw")" = "$1" ] && hex <"$work/raw"
}
plain() { # whether a file holds no control character but the newline
  [ "$(tr -d '\012\040-\377' <"$1" | wc -c)" -eq 0 ] # U+007F is no control character to JSON
}
lines() { # whether a file is made of lines, each ending with a newline
  [ "$(tail -c 1 "$1" | xxd -p)" = 0a ] && plain "$1"
}
number() { # whether a text is a decimal number as we write one
  case $1 in 0) return 0 ;; ''|0*|*[!0-9]*) return 1 ;; esac
  [ ${#1} -le 15 ]
}
key() { # a line name+id+key, the type that belongs here, code, file; sets key_name, key_id, key_public
  case $1 in *+*+*) ;; *) no "$3" "$4" 'a verifier key is written name+id+key'; return 1 ;; esac
  key_name=${1%%+*}; key_rest=${1#*+}; key_id=${key_rest%%+*}
  case $key_name in ''|*' '*) no "$3" "$4" 'a verifier key is written name+id+key'; return 1 ;; esac
  key_held=$(unbase "${key_rest#*+}") || key_held=''
  if [ ${#key_held} -ne 66 ] || [ "${key_held%"${key_held#??}"}" != "$2" ]; then
    no "$3" "$4" 'the key is not an Ed25519 key of the type that belongs here'; return 1
  fi
  key_public=${key_held#??}
  key_made=$({ printf '%s\n' "$key_name" | hex; printf %s "$key_held"; } | sha | cut -c1-8)
  [ "$key_made" = "$key_id" ] || no "$3" "$4" "the key's id is not its own"
}
signed() { # public key as hex, file with the message, signature as hex
  [ ${#3} -eq 128 ] || return 1
  printf '302a300506032b6570032100%s' "$1" | xxd -r -p >"$work/der"
  printf %s "$3" | xxd -r -p >"$work/signature"
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/der" -rawin -in "$2" \
    -sigfile "$work/signature" >/dev/null 2>&1
}

# -- 1. the files ----------------------------------------------------------------------------------------

files() {
  needed='disclosures.txt entry.json item.tlog-proof log.vkey salt.hex statement.json' folders='payload anchors renewed'
  [ -z "$withheld" ] || { needed='entry.json item.tlog-proof log.vkey' folders='anchors renewed'; }
  for name in $needed; do
    if [ ! -f "$name" ] || [ -L "$name" ]; then no file-missing "$name" 'a proof folder holds this file'; return 1; fi
  done
  for name in .[!.]* ..?* *; do
    if [ ! -e "$name" ] && [ ! -L "$name" ]; then continue; fi
    case $name in *' '*) no file-unknown "$(shown "$name")" 'a proof folder does not hold this'; return 1 ;; esac
    case " $needed VERIFY.md verify.py verify.sh witnesses.vkey " in
      *" $name "*) [ -f "$name" ] && [ ! -L "$name" ] && continue ;;
    esac
    case " $folders " in
      *" $name "*) if [ -d "$name" ] && [ ! -L "$name" ]; then inner "$name" || return 1; continue; fi ;;
    esac
    no file-unknown "$(shown "$name")" 'a proof folder does not hold this'; return 1
  done
}
inner() {
  for path in "$1"/.[!.]* "$1"/..?* "$1"/*; do
    if [ ! -e "$path" ] && [ ! -L "$path" ]; then continue; fi
    if [ -f "$path" ] && [ ! -L "$path" ]; then
      own=${path#*/}
      case $1/$own in
        payload/*) case $own in [a-z0-9]*) case $own in *[!a-z0-9.-]*) ;; *) continue ;; esac ;; esac ;;
        renewed/entry.json|renewed/entry.tlog-proof) continue ;;
        anchors/*|renewed/*)
          digest=${own%.???}
          case ${own#"$digest"} in .tsr|.pem) case $digest in *[!0-9a-f]*) ;; *) [ ${#digest} -eq 64 ] && continue ;; esac ;; esac ;;
      esac
    fi
    no file-unknown "$(shown "$path")" 'a proof folder does not hold this'; return 1
  done
}

# -- 2. the entry commits to this statement under this salt, and both speak of one version -----------------

time='[0-9]\{4\}-[0-9]\{2\}-[0-9]\{2\}T[0-9]\{2\}:[0-9]\{2\}:[0-9]\{2\}Z'
entered() { # of a record that is withheld, only the entry is here
  entry=$(tr -d '\000' <entry.json)
  if ! plain entry.json || [ "$(wc -l <entry.json)" -ne 0 ] || ! expr "$entry" : \
    '\({"c":"[0-9a-f]\{64\}","item":"[0-9a-f]\{32\}","ts":"'"$time"'","type":"capture","v":1,"ver":[1-9][0-9]\{0,14\}}\)$' >/dev/null
  then
    no entry-form entry.json 'it is not a capture entry as one is written'; return 1
  fi
  record=${entry#*\"item\":\"}; record=${record%%\"*}
  version=${entry##*:}; version=${version%\}}
}
commitment() {
  salt=$(tr -d '\000' <salt.hex)
  if [ "$(wc -c <salt.hex)" -ne 65 ] || [ ${#salt} -ne 64 ] || [ "${salt#*[!0-9a-f]}" != "$salt" ]; then
    no salt-form salt.hex 'the salt is 64 small hex digits and a newline'; return 1
  fi
  statement=$(tr -d '\000' <statement.json)
  if ! plain statement.json || [ "$(wc -l <statement.json)" -ne 0 ] || ! expr "$statement" : \
    '\({"_sd":\["[A-Za-z0-9_-]\{43\}"\(,"[A-Za-z0-9_-]\{43\}"\)*\],"_sd_alg":"sha-256","connector":"[^"\\]*","item":"[0-9a-f]\{32\}","observed":"'"$time"'","v":1,"ver":[1-9][0-9]\{0,14\}}\)$' >/dev/null
  then
    statement=''
    no statement-form statement.json 'it is not a statement as one is written'; return 1
  fi
  entry=$(tr -d '\000' <entry.json)
  if ! plain entry.json || [ "$(wc -l <entry.json)" -ne 0 ] || ! expr "$entry" : \
    '\({"c":"[0-9a-f]\{64\}","item":"[0-9a-f]\{32\}","ts":"'"$time"'","type":"capture","v":1,"ver":[1-9][0-9]\{0,14\}}\)$' >/dev/null
  then
    statement=''
    no entry-form entry.json 'it is not a capture entry as one is written'; return 1
  fi
  digest=$(sha256sum <statement.json | cut -c1-64)
  made=$(printf '%s%s%s' "$(printf 'record-commit/v1\n' | hex)" "$salt" "$digest" | sha)
  committed=${entry#*\"c\":\"}
  if [ "${committed%%\"*}" != "$made" ]; then
    statement=''
    no commitment-differs 'entry.json, salt.hex, statement.json' 'the entry does not commit to this statement under this salt'; return 1
  fi
  record=${entry#*\"item\":\"}; record=${record%%\"*}
  version=${entry##*:}; version=${version%\}}
  case $statement in
    *"\"item\":\"$record\",\"observed\":\""*"\"v\":1,\"ver\":$version}") ;;
    *) statement=''
      no version-differs 'entry.json, statement.json' 'entry and statement speak of different versions'; return 1 ;;
  esac
  observed=${statement##*\"observed\":\"}; observed=${observed%%\"*}
}

# -- 3. the ledger's key ---------------------------------------------------------------------------------

ledger_key() {
  lines log.vkey || { no key-form log.vkey 'it is not made of lines that each end with a newline'; return 1; }
  [ "$(wc -l <log.vkey)" -eq 1 ] || { no key-form log.vkey 'it holds one key on one line'; return 1; }
  key "$(cat log.vkey)" 01 key-form log.vkey || return 1
  log_name=$key_name log_id=$key_id
  log_public=$key_public
  [ -z "$known" ] || cmp -s "$known" log.vkey || no key-differs log.vkey 'it is not the key that you gave'
}

# -- 4. the entry stands in the tree whose root that key signed; witnesses saw it too ------------------------

proof() { # a tlog-proof; sets index, and writes path, text and signatures (name, hex) and the note alone
  lines "$1" || { no proof-form "$1" 'it is not made of lines that each end with a newline'; return 1; }
  : >"$work/path"; : >"$work/note"; index='' state=head
  while IFS= read -r line; do
    case $state in
      head) [ "$line" = 'c2sp.org/tlog-proof@v1' ] || { no proof-form "$1" 'it is no tlog-proof of version 1'; return 1; }
        state=index ;;
      index)
        case $line in
          'extra '*) unbase "${line#extra }" >/dev/null || { no proof-form "$1" 'its extra data is not base64'; return 1; }
            no proof-form "$1" 'it holds extra data, which nothing would vouch for'; return 1 ;;
        esac
        index=${line#index }
        if [ "$line" != "index $index" ] || ! number "$index"; then
          no proof-form "$1" 'it names no index, or no checkpoint follows'; return 1
        fi
        state=path ;;
      path)
        if [ -z "$line" ]; then state=note; continue; fi
        printf '%s\n' "$line" >>"$work/path" ;;
      note) printf '%s\n' "$line" >>"$work/note" ;;
    esac
  done <"$1"
  [ $state = note ] || { no proof-form "$1" 'it names no index, or no checkpoint follows'; return 1; }
  [ "$(wc -l <"$work/path")" -le 63 ] || { no proof-form "$1" 'its path is not made of hashes in base64'; return 1; }
  : >"$work/steps"
  while IFS= read -r line; do
    part=$(unbase "$line") || part=''
    [ ${#part} -eq 64 ] || { no proof-form "$1" 'its path is not made of hashes in base64'; return 1; }
    printf '%s\n' "$part" >>"$work/steps"
  done <"$work/path"
  note "$1"
}
note() {
  count=0
  : >"$work/signatures"
  while IFS= read -r line; do
    count=$((count + 1))
    case $count in
      1) origin=$line ;;
      2) size=$line ;;
      3) root=$line ;;
      4) [ -z "$line" ] || count=-1000000 ;;
      *)
        name=${line#"$dash "}; value=${name#* }; name=${name%% *}
        held=''
        [ "$line" = "$dash $name $value" ] && [ -n "$name" ] && held=$(unbase "$value")
        if [ $count -lt 0 ] || [ $count -gt 104 ]; then break; fi
        [ ${#held} -ge 10 ] || { name=-; held=broken; }
        printf '%s %s\n' "$name" "$held" >>"$work/signatures" ;;
    esac
  done <"$work/note"
  if [ $count -lt 5 ] || [ $count -gt 104 ]; then
    no checkpoint-form "$1" 'a checkpoint is three lines, an empty line and signatures'; return 1
  fi
  root=$(unbase "$root") || root=''
  if [ -z "$origin" ] || ! number "$size" || [ ${#root} -ne 64 ]; then
    no checkpoint-form "$1" 'a checkpoint names its ledger, its size and its root'; return 1
  fi
  while IFS=' ' read -r name held; do
    [ "$held" != broken ] || { no checkpoint-form "$1" 'a signature line is a dash, a name and a signature'; return 1; }
  done <"$work/signatures"
  head -n 3 "$work/note" >"$work/text"
  head -n 5 "$work/note" >"$work/alone"
}
under() { # the file of the entry, the file of the proof: the check of RFC 9162, 2.1.3.2
  found=$({ printf 00; hex <"$1"; } | sha)
  place=$index last=$((size - 1)) whole=1
  [ "$place" -le "$last" ] || whole=0
  while [ $whole = 1 ] && IFS= read -r part; do
    [ "$last" -gt 0 ] || { whole=0; break; }
    if [ $((place & 1)) = 1 ] || [ "$place" = "$last" ]; then
      found=$(printf '01%s%s' "$part" "$found" | sha)
      while [ $((place & 1)) = 0 ] && [ "$place" -gt 0 ]; do place=$((place >> 1)) last=$((last >> 1)); done
    else
      found=$(printf '01%s%s' "$found" "$part" | sha)
    fi
    place=$((place >> 1)) last=$((last >> 1))
  done <"$work/steps"
  if [ $whole = 0 ] || [ "$last" != 0 ] || [ "$found" != "$root" ]; then
    no inclusion-differs "$1, $2" 'the path does not lead from this entry to the root'
  fi
}
by_the_ledger() {
  IFS=' ' read -r name held <"$work/signatures"
  rest=${held#????????}
  if [ "$origin" != "$log_name" ] || [ "$name" != "$log_name" ] || [ "${held%"$rest"}" != "$log_id" ]; then
    no ledger-differs "$1, log.vkey" 'the checkpoint is of another ledger or key'; return 1
  fi
  signed "$log_public" "$work/text" "$rest" || no signature-differs "$1, log.vkey" 'the checkpoint is not signed by this key'
}
cosignatures() {
  tail -n +2 "$work/signatures" >"$work/others"
  if [ ! -e witnesses.vkey ]; then
    [ ! -s "$work/others" ] || no cosignature-unknown "$1" "no witness's key is given for a signature"
    return
  fi
  lines witnesses.vkey || { no witness-form witnesses.vkey 'it is not made of lines that each end with a newline'; return 1; }
  while IFS= read -r line; do key "$line" 04 witness-form witnesses.vkey || return 1; done <witnesses.vkey
  if [ "$(wc -l <witnesses.vkey)" -gt "$(wc -l <"$work/others")" ]; then
    no cosignature-missing "$1, witnesses.vkey" 'a witness is named who did not sign'; return 1
  fi
  exec 3<witnesses.vkey
  while IFS=' ' read -r name held; do
    if ! IFS= read -r line <&3; then line='+'; fi
    id=${line#*+}; id=${id%%+*}
    rest=${held#????????}
    if [ "$name" != "${line%%+*}" ] || [ "${held%"$rest"}" != "$id" ]; then
      no cosignature-unknown "$1, witnesses.vkey" 'a signature is not by the witness named'; return 1
    fi
    key "$line" 04 witness-form witnesses.vkey || return 1
    signature=${rest#????????????????}
    at=${rest%"$signature"}
    case $at in [0-7]*) ;; *) at='' ;; esac
    if [ ${#rest} -ne 144 ] || [ -z "$at" ]; then
      no cosignature-form "$1" 'a cosignature is a time and an Ed25519 signature'; return 1
    fi
    at=$(printf %d "0x$at")
    { printf 'cosignature/v1\ntime %s\n' "$at"; cat "$work/text"; } >"$work/cosigned"
    if ! signed "$key_public" "$work/cosigned" "$signature"; then
      no cosignature-differs "$1, witnesses.vkey" 'a cosignature is not by the witness named'; return 1
    fi
    printf 'witnessed: %s at %s\n' "$name" "$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || echo "second $at")" >>"$work/remarks"
  done <"$work/others"
  exec 3<&-
}
ledger() {
  proof item.tlog-proof || return 1
  under entry.json item.tlog-proof || return 1
  [ -n "$log_public" ] || return 1
  by_the_ledger item.tlog-proof || return 1
  at_index=$index at_size=$size at_origin=$origin checked=1
  cp "$work/alone" "$work/anchored"
  cosignatures item.tlog-proof
}

# -- 5. every field that is shown is one of the statement's, every payload one that it states ----------------

disclosures() {
  before='' stated='' listed=0
  : >"$work/fields"
  [ ! -s disclosures.txt ] || lines disclosures.txt \
    || { no disclosure-form disclosures.txt 'it is not made of lines that each end with a newline'; return 1; }
  while IFS= read -r line; do
    case $line in ''|*[!A-Za-z0-9_-]*) no disclosure-form disclosures.txt 'a field is not base64url'; return 1 ;; esac
    digest=$(printf %s "$line" | sha256sum | cut -c1-64 | xxd -r -p | base64 -w0 | tr '+/' '-_' | tr -d =)
    if [ -n "$statement" ]; then
      case $statement in
        *"\"$digest\""*) ;;
        *) no disclosure-differs disclosures.txt 'a field is not one of this statement'; return 1 ;;
      esac
    fi
    case $((${#line} % 4)) in 2) pad='==' ;; 3) pad='=' ;; *) pad='' ;; esac
    printf '%s%s' "$line" "$pad" | tr -- '-_' '+/' >"$work/coded"
    base64 -d <"$work/coded" >"$work/field" 2>/dev/null || : >"$work/field"
    base64 -w0 <"$work/field" | cmp -s - "$work/coded" || : >"$work/field"
    start=$(head -c 4096 "$work/field" | tr '\000\012' '\001\001')
    name=${start#*\",\"}
    name=${name%%\"*}
    case $name in ''|*[!a-z_]*) name='' ;; esac
    if [ -z "$name" ] || ! plain "$work/field" || [ "$(wc -l <"$work/field")" -ne 0 ] || [ "$(tail -c 1 "$work/field")" != ']' ] \
      || ! expr "$start" : '\(\["[A-Za-z0-9_-]\{22\}","'"$name"'",\)' >/dev/null \
      || [ "$(wc -c <"$work/field")" -lt $((30 + ${#name})) ]; then
      no disclosure-form disclosures.txt 'a field is not written as salt, name and value'; return 1
    fi
    expr "x$name" '>' "x$before" >/dev/null \
      || { no disclosure-order disclosures.txt 'the fields do not stand once each in their order'; return 1; }
    before=$name
    if [ "$name" = payloads ]; then
      stated=$(cat "$work/field"); stated=${stated#*,\"payloads\",}; stated=${stated%]}; listed=1
    fi
    cat "$work/field" >>"$work/fields"; echo >>"$work/fields"
  done <disclosures.txt
  payloads
}
payloads() {
  rest=$stated names=' '
  if [ $listed = 1 ]; then
    : >"$work/items"
    if [ "$rest" != '[]' ]; then
      case $rest in '['*']') ;; *) rest='[x]' ;; esac
      rest=${rest#?}; rest=${rest%?},
      while [ -n "$rest" ]; do
        item=${rest%%\}*}; rest=${rest#"$item"}
        item="$item}"
        case $rest in '},') rest='' ;; '},'?*) rest=${rest#??} ;; *) item=broken ;; esac
        bytes=${item#'{"bytes":'}; bytes=${bytes%%,*}
        name=${item#*\"name\":\"}; name=${name%%\"*}
        digest=${item#*\"sha256\":\"}; digest=${digest%%\"*}
        case $name in [a-z0-9]*) ;; *) item=broken ;; esac
        case $name in *[!a-z0-9.-]*) item=broken ;; esac
        case $digest in *[!0-9a-f]*) item=broken ;; esac
        if [ "$item" != "{\"bytes\":$bytes,\"name\":\"$name\",\"sha256\":\"$digest\"}" ] || ! number "$bytes" || [ ${#digest} -ne 64 ]; then
          no disclosure-form disclosures.txt 'the field `payloads` is not a list'; return 1
        fi
        printf '%s %s %s\n' "$name" "$bytes" "$digest" >>"$work/items"
      done
    fi
    while IFS=' ' read -r name bytes digest; do
      [ -f "payload/$name" ] || { no payload-missing "payload/$name" 'the statement speaks of this file'; return 1; }
      if [ "$(wc -c <"payload/$name")" -ne "$bytes" ] || [ "$(sha256sum <"payload/$name" | cut -c1-64)" != "$digest" ]; then
        no payload-differs "payload/$name" 'it is not what the record was read from'; return 1
      fi
      names="$names$name "
    done <"$work/items"
  fi
  for file in payload/*; do
    [ -e "$file" ] || continue
    case $names in
      *" ${file#payload/} "*) ;;
      *) no payload-unstated "$(shown "$file")" 'the statement does not speak of it'; return 1 ;;
    esac
  done
}

# -- 6. timestamps of others over the checkpoint, and their renewal (RFC 3161) -------------------------------

tokens() { # the folder; what its timestamps cover is in $work/covered
  tokens_found=0
  covered=$(sha256sum <"$work/covered" | cut -c1-64)
  for file in "$1"/*.pem "$1"/*.tsr; do [ -e "$file" ] && printf '%s\n' "$file"; done | sort >"$work/tokens"
  while IFS= read -r file; do
    digest=${file#*/}; digest=${digest%.???}
    [ "$(sha256sum <"$file" | cut -c1-64)" = "$digest" ] \
      || { no token-name "$file" 'it is not the file that its name speaks of'; return 1; }
    case $file in *.pem) continue ;; esac
    granted='' algorithm='' imprint='' when='' rows=0
    openssl ts -reply -in "$file" -text >"$work/told" 2>/dev/null || : >"$work/told"
    while IFS= read -r line; do
      if [ $rows -gt 0 ]; then
        imprint=$imprint$(printf %s "$line" | cut -c12-58 | tr -d ' -'); rows=$((rows - 1)); continue
      fi
      case $line in
        'Status: Granted.') granted=1 ;;
        'Hash Algorithm: sha256') algorithm=1 ;;
        'Message data:') [ -n "$imprint" ] || rows=2 ;;
        'Time stamp: '*) [ -n "$when" ] || when=${line#Time stamp: } ;;
      esac
    done <"$work/told"
    case $when in *.*) when="${when%%.*} ${when#*.* }" ;; esac
    at=$(date -u -d "$when" +%s 2>/dev/null) || at=''
    case $imprint in *[!0-9a-f]*) imprint='' ;; esac
    if [ -z "$granted$algorithm" ] || [ -z "$granted" ] || [ -z "$algorithm" ] || [ ${#imprint} -ne 64 ] || [ -z "$when" ] || [ -z "$at" ]; then
      no token-form "$file" 'it is not a granted timestamp over a SHA-256'; return 1
    fi
    [ "$imprint" = "$covered" ] || { no token-imprint "$file" 'it is a timestamp of something else'; return 1; }
    said=$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)
    if [ $authorities = 0 ]; then
      echo "not checked: $file says $said; name its authority with --ca" >>"$work/remarks"
    else
      one=0 vouched=0
      while [ $one -lt $authorities ] && [ $vouched = 0 ]; do
        one=$((one + 1))
        openssl ts -verify -data "$work/covered" -in "$file" -CAfile "$work/authority$one" -attime "$at" >/dev/null 2>&1 && vouched=1
      done
      [ $vouched = 1 ] || { no token-untrusted "$file" 'no authority that you named vouches for it'; return 1; }
      echo "timestamped: $file at $said" >>"$work/remarks"
    fi
    tokens_found=$((tokens_found + 1))
  done <"$work/tokens"
}
anchored() { cp "$work/anchored" "$work/covered"; tokens anchors; }
renewal() {
  [ -d renewed ] || return 0
  for file in renewed/entry.json renewed/entry.tlog-proof; do
    [ -f "$file" ] || { no file-missing "$file" 'a renewal holds this file'; return 1; }
  done
  later=$(tr -d '\000' <renewed/entry.json)
  if ! plain renewed/entry.json || [ "$(wc -l <renewed/entry.json)" -ne 0 ] || ! expr "$later" : \
    '\({"c":"[0-9a-f]\{64\}","size":[0-9]\{1,15\},"token":"[0-9a-f]\{64\}","ts":"'"$time"'","type":"anchor","v":1}\)$' >/dev/null
  then
    no entry-form renewed/entry.json 'it is not an anchor entry as one is written'; return 1
  fi
  stamped=${later#*,\"size\":}
  number "${stamped%%,*}" || { no entry-form renewed/entry.json 'it is not an anchor entry as one is written'; return 1; }
  stamped=${later#*\"token\":\"}; stamped=${stamped%%\"*}
  [ -f "anchors/$stamped.tsr" ] || { no renewal-differs renewed/entry.json 'it speaks of a timestamp that is not in anchors/'; return 1; }
  proof renewed/entry.tlog-proof || return 1
  under renewed/entry.json renewed/entry.tlog-proof || return 1
  by_the_ledger renewed/entry.tlog-proof || return 1
  [ "$(wc -l <"$work/signatures")" -eq 1 ] || { no cosignature-unknown renewed/entry.tlog-proof "no witness's key is given for a signature"; return 1; }
  cp "$work/alone" "$work/covered"
  tokens renewed || return 1
  [ $tokens_found -gt 0 ] || no file-missing renewed 'a renewal holds a timestamp'
}

# -- everything, one after another -----------------------------------------------------------------------

statement='' record='' version='' observed='' log_name='' log_id='' log_public='' checked=''
: >"$work/remarks"; : >"$work/fields"
if files; then
  if [ -n "$withheld" ]; then entered; else commitment; fi
  ledger_key
  ledger
  [ -n "$withheld" ] || disclosures
  if [ -n "$checked" ]; then anchored; renewal; fi
fi
[ ! -e "$work/wrong" ] || exit 6
cat "$work/fields" "$work/remarks"
if [ -n "$withheld" ]; then told=withheld; else told="observed $observed"; fi
echo "PROVEN: record $record version $version, $told, is entry $at_index of $at_size in $at_origin"
