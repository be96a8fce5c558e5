#!/bin/sh
# Checks a production without the program that made it: a POSIX shell, coreutils, findutils, xxd and OpenSSL 3 alone.
#
#     sh verify.sh [FOLDER] [--agency FILE] [--ca FILE]... [--key FILE]
#
# FOLDER is the production; without it, the one that this file lies in. It ends with VERIFIED and exit code 0, or
# with a line NOT VERIFIED for each thing that is wrong and exit code 6; 2 says that it was called wrongly, 5 that
# it could not check. verify.md explains every line. verify.py says the same of the same folder; proof.sh, beside
# this file, checks each record.
set -u
LC_ALL=C
export LC_ALL
umask 077

usage() { echo 'usage: sh verify.sh [FOLDER] [--agency FILE] [--ca FILE]... [--key FILE]' >&2; exit 2; }
stop() { echo "CANNOT CHECK: $1" >&2; exit 5; }

for program in xxd openssl sha256sum sha512sum base64 expr cut tr wc head tail od sort cmp comm date find mktemp; do
  command -v "$program" >/dev/null 2>&1 || stop "the program $program is not there"
done
beside=$(cd "$(dirname "$0")" && pwd) || stop 'where this program lies cannot be told'
[ -f "$beside/proof.sh" ] || stop 'proof.sh does not lie beside this program'
work=$(mktemp -d) || stop 'no temporary folder'
trap 'rm -rf "$work"' EXIT
trap 'exit 5' HUP INT TERM

folder='' authorities=0 agency='' known=''
while [ $# -gt 0 ]; do
  case $1 in
    --agency|--ca|--key) [ $# -ge 2 ] || usage
      [ -f "$2" ] || stop "$2 is not a file"
      case $1 in
        --agency) agency="$work/agency"; cat <"$2" >"$agency" || stop "$2 cannot be read" ;;
        --ca) authorities=$((authorities + 1)); cat <"$2" >"$work/authority$authorities" || stop "$2 cannot be read" ;;
        --key) known="$work/known"; cat <"$2" >"$known" || stop "$2 cannot be read" ;;
      esac
      shift ;;
    -*) usage ;;
    *) [ -z "$folder" ] || usage; folder=$1 ;;
  esac
  shift
done
[ -n "$folder" ] || folder=$beside/..
cd "$folder" 2>/dev/null || stop "$folder is not a folder"

no() { # a code, the file, a sentence
  printf 'NOT VERIFIED: %s in %s: %s\n' "$1" "$2" "$3"
  : >"$work/wrong"
  return 1
}
shown() { printf %s "$1" | tr -c 'A-Za-z0-9._/-' '?'; }
say() { printf '%s\n' "$1" >>"$work/remarks"; }

# -- 1. every file is there, is what it was, and none is there besides ------------------------------------

listing() { # a list of digests, their length, its code: writes its names, sorted, to $work/listed
  if [ -n "$(tail -c 1 "$1" | tr -d '\012')" ] || [ "$(tr -d '\012\040-\176' <"$1" | wc -c)" -ne 0 ] ||
    grep -v -q "^[0-9a-f]\{$2\}  [A-Za-z0-9][A-Za-z0-9._/-]*\$" "$1"; then
    no "$3" "$1" 'a line is not a digest, two blanks and a name'; return 1
  fi
  cut -c$(($2 + 3))- "$1" | sort >"$work/listed"
  if [ "$(sort -u "$work/listed" | wc -l)" -ne "$(wc -l <"$1")" ] || grep -q '\(^\|/\)\.\.\(/\|$\)' "$work/listed"; then
    no "$3" "$1" 'a line is not a digest, two blanks and a name'; return 1
  fi
}
same() { # the list, what stands before its names: compares $work/listed with $work/there
  for name in $(comm -23 "$work/listed" "$work/there" | head -n 1); do no file-missing "$2$(shown "$name")" "$1 speaks of it"; return 1; done
  if [ -n "$(comm -13 "$work/listed" "$work/there" | head -n 1)" ]; then
    no file-unknown "$2$(shown "$(comm -13 "$work/listed" "$work/there" | head -n 1)")" "$1 does not speak of it"; return 1
  fi
}
digests() { # the program, the list, its code, what stands before its names
  [ -s "$2" ] || return 0
  altered=$( (cd "$5" && "$1" --strict -c "$6" 2>/dev/null) | grep -v ': OK$' | head -n 1)
  [ -z "$altered" ] || { no "$3" "$4$(shown "${altered%: FAILED*}")" "it is not what $2 says"; return 1; }
}
number() {
  found=''
  for file in *.seal.json; do
    [ -f "$file" ] || { no file-missing '*.seal.json' 'a production has one seal'; return 1; }
    [ -z "$found" ] || { no file-missing '*.seal.json' 'a production has one seal'; return 1; }
    found=${file%.seal.json}
  done
  case $found in ''|*[!a-z0-9-]*) no file-unknown "$(shown "$found.seal.json")" "a production's seal bears its number"; return 1 ;; esac
}
links() {
  strange=$(find . ! -type f ! -type d | head -n 1)
  [ -z "$strange" ] || { no name-unsafe "$(shown "${strange#./}")" 'it is neither a file nor a folder'; return 1; }
  strange=$(find . -name '*[!A-Za-z0-9._-]*' | head -n 1)
  [ -z "$strange" ] || { no name-unsafe "$(shown "${strange#./}")" 'its name is not plain'; return 1; }
  strange=$(find . -type d -empty ! -path ./trust | head -n 1)
  [ -z "$strange" ] || no file-unknown "${strange#./}/" 'a production has no empty folders'
}
small() { # a file that is looked at as a whole, the code of its kind
  [ "$(wc -c <"$1")" -le 1048576 ] || no "$2" "$1" 'it is larger than any of its kind'
}
proof_sized() { # files of a proof, or a folder of them
  large=$(find "$@" -type f -size +131072 | head -n 1)
  [ -z "$large" ] || no proof-form "$large" 'it is larger than any of its kind'
}
further='\([2-9]\|[1-9][0-9]\{1,3\}\)' # how timestamps after the first are numbered
outside() {
  [ -f outside-sha256.txt ] || { no file-missing outside-sha256.txt 'a production holds this'; return 1; }
  listing outside-sha256.txt 64 outside-form || return 1
  over='\(p7s\.\)\{0,1\}'
  [ ! -f "$found.seal.p7s" ] || over='p7s\.'
  find . -path ./bag -prune -o -type f -print | cut -c3- | grep -v -x "$found\.seal\.\(json\|p7s\|$over\($further\.\)\{0,1\}tsr\)" |
    grep -v -x 'outside-sha256\.txt' | sort >"$work/there"
  same outside-sha256.txt '' || return 1
  digests sha256sum outside-sha256.txt outside-altered '' . outside-sha256.txt
}
bag() {
  for name in bagit.txt bag-info.txt manifest-sha256.txt manifest-sha512.txt tagmanifest-sha256.txt tagmanifest-sha512.txt; do
    [ -f "bag/$name" ] || { no file-missing "bag/$name" 'a bag holds this'; return 1; }
  done
  small bag/bag-info.txt bag-form || return 1
  printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' | cmp -s - bag/bagit.txt ||
    { no bag-form bag/bagit.txt 'it is not that of BagIt 1.0'; return 1; }
  (cd bag && find . -type f ! -path './data/*' | cut -c3- | sort) >"$work/there"
  printf '%s\n' bag-info.txt bagit.txt manifest-sha256.txt manifest-sha512.txt tagmanifest-sha256.txt tagmanifest-sha512.txt >"$work/listed"
  same bag bag/ || return 1
  (cd bag && find data -type f | sort) >"$work/payload"
  grep -v '^tagmanifest-' "$work/listed" >"$work/tags"
  for kind in 'sha256 64' 'sha512 128'; do
    algorithm=${kind% *} length=${kind#* }
    listing "bag/tagmanifest-$algorithm.txt" "$length" bag-form || return 1
    cp "$work/tags" "$work/there"
    same "bag/tagmanifest-$algorithm.txt" bag/ || return 1
    digests "${algorithm}sum" "bag/tagmanifest-$algorithm.txt" bag-altered bag/ bag "tagmanifest-$algorithm.txt" || return 1
    listing "bag/manifest-$algorithm.txt" "$length" bag-form || return 1
    cp "$work/payload" "$work/there"
    same "bag/manifest-$algorithm.txt" bag/ || return 1
    digests "${algorithm}sum" "bag/manifest-$algorithm.txt" bag-altered bag/ bag "manifest-$algorithm.txt" || return 1
  done
  files=$(wc -l <"$work/payload" | tr -d ' ')
  size=$( (cd bag && find data -type f -exec wc -c {} \;) | { total=0; while read -r one _; do total=$((total + one)); done; echo "$total"; })
  grep -q -x "Payload-Oxum: $size\.$files" bag/bag-info.txt ||
    { no bag-size bag/bag-info.txt 'the payload is not of the size that it says'; return 1; }
  say "the bag: $files files, $size bytes"
}

# -- 2. the seal, who signed it, and who saw it when --------------------------------------------------------

seal() {
  file=$found.seal.json
  small "$file" seal-form || return 1
  told=$(tr -d '\000\012' <"$file")
  if [ ${#told} -ne "$(wc -c <"$file")" ] || ! expr "$told" : \
    '\({"made_at":"[0-9]\{4\}-[0-9]\{2\}-[0-9]\{2\}T[0-9]\{2\}:[0-9]\{2\}:[0-9]\{2\}Z","outside_sha256":"[0-9a-f]\{64\}","production":"[A-Z0-9-]\{1,60\}","tagmanifest_sha256":"[0-9a-f]\{64\}","v":1}\)$' >/dev/null
  then no seal-form "$file" 'it is not a seal as one is written'; return 1; fi
  made=${told#*\"made_at\":\"}; made=${made%%\"*}
  date -u -d "$made" >/dev/null 2>&1 || { made=''; no seal-form "$file" 'it names no time that there is'; return 1; }
  production=${told#*\"production\":\"}; production=${production%%\"*}
  [ "$(printf %s "$production" | tr 'A-Z' 'a-z')" = "$found" ] ||
    { no seal-differs "$file" 'it is the seal of another production'; return 1; }
  for pair in 'tagmanifest_sha256 bag/tagmanifest-sha256.txt' 'outside_sha256 outside-sha256.txt'; do
    said=${told#*\""${pair% *}"\":\"}; said=${said%%\"*}
    [ "$(sha256sum <"${pair#* }" | cut -c1-64)" = "$said" ] ||
      { no seal-differs "$file, ${pair#* }" 'the seal does not speak of this file'; return 1; }
  done
  say "sealed: production $production, made at $made"
}
stamped() { # a timestamp, what it is over: adds its time to $earliest
  granted='' algorithm='' imprint='' when='' rows=0
  small "$1" timestamp-form || return 1
  openssl ts -reply -in "$1" -text >"$work/told" 2>/dev/null || : >"$work/told"
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
  if [ -z "$granted" ] || [ -z "$algorithm" ] || [ ${#imprint} -ne 64 ] || [ -z "$when" ] || [ -z "$at" ]; then
    no timestamp-form "$1" 'it is not a granted timestamp over a SHA-256'; return 1
  fi
  [ "$imprint" = "$(sha256sum <"$2" | cut -c1-64)" ] || { no timestamp-differs "$1" 'it is a timestamp of something else'; return 1; }
  vouched=0 whose=', by an authority whose certificate came with the production'
  if [ $authorities -gt 0 ]; then
    one=0 whose=''
    while [ $one -lt $authorities ]; do
      one=$((one + 1))
      openssl ts -verify -data "$2" -in "$1" -CAfile "$work/authority$one" -attime "$at" >/dev/null 2>&1 && vouched=1
    done
  else
    for root in trust/tsa-*.pem; do
      [ -f "$root" ] && openssl ts -verify -data "$2" -in "$1" -CAfile "$root" -attime "$at" >/dev/null 2>&1 && vouched=1
    done
  fi
  [ $vouched = 1 ] || { no timestamp-untrusted "$1" 'no authority that is trusted vouches for it'; return 1; }
  say "timestamped: $1 at $(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)$whose"
  if [ -z "$earliest" ] || [ "$at" -lt "$earliest" ]; then earliest=$at; fi
}
asked_for() { # what is left out vouches for nothing: there is something by each of those whom the reader named
  [ -z "$agency" ] || [ -f "$found.seal.p7s" ] ||
    { no file-missing "$found.seal.p7s" 'you named who signs, and nobody signed'; return 1; }
  if [ $authorities -gt 0 ] && [ $count -eq 0 ] && [ -z "$(find bag/data/proof -name '*.tsr' 2>/dev/null | head -n 1)" ]; then
    no file-missing "$stem.tsr" 'you named who timestamps, and there is no timestamp'; return 1
  fi
  [ -z "$known" ] || [ -f bag/data/proof/checkpoint ] ||
    { no file-missing bag/data/proof/checkpoint 'you named the key of a ledger, and nothing of a ledger is there'; return 1; }
}
signature() {
  stem=$found.seal over=$found.seal.json earliest=''
  if [ -f "$found.seal.p7s" ]; then
    stem=$found.seal.p7s over=$found.seal.p7s
    small "$over" signature-form || return 1
  fi
  for file in "$found.seal.p7s".[0-9]*.tsr "$found.seal.p7s.tsr"; do
    [ ! -f "$file" ] || [ -f "$found.seal.p7s" ] || { no file-missing "$found.seal.p7s" "$file is a timestamp over it"; return 1; }
  done
  if [ -f trust/agency-chain.pem ] && [ ! -f "$found.seal.p7s" ]; then
    no file-missing "$found.seal.p7s" 'trust/agency-chain.pem is there for it'; return 1
  fi
  count=0 wanted="$stem.tsr"
  for file in "$stem".[0-9]*.tsr "$stem".tsr; do [ ! -f "$file" ] || count=$((count + 1)); done
  one=0
  while [ $one -lt $count ]; do
    one=$((one + 1))
    [ $one -eq 1 ] || wanted="$stem.$one.tsr"
    [ -f "$wanted" ] || { no file-missing "$wanted" 'a further one is there'; return 1; }
  done
  asked_for || return 1
  for file in "$stem".[0-9]*.tsr "$stem".tsr; do
    [ -f "$file" ] || continue
    stamped "$file" "$over" || return 1
  done
  [ -n "$earliest" ] || say "no timestamp: when it was made rests on the agency's own word"
  if [ ! -f "$found.seal.p7s" ]; then say 'not signed: who made it rests on how you got it'; return 0; fi
  [ -n "$earliest" ] || earliest=$(date -u -d "${made:-1970-01-01T00:00:00Z}" +%s)
  whose='' chain=$agency
  if [ -z "$chain" ]; then
    chain=trust/agency-chain.pem
    whose=', by a certificate that came with the production: compare it, or name your own with --agency'
  fi
  openssl cms -verify -binary -inform DER -purpose any -partial_chain -no-CApath -no-CAstore -in "$found.seal.p7s" \
    -content "$found.seal.json" -attime "$earliest" -out /dev/null -CAfile "$chain" >/dev/null 2>&1 ||
    { no signature-differs "$found.seal.p7s" "openssl does not accept the agency's signature over the seal"; return 1; }
  say "signed by the agency$whose"
}

# -- 3. every record that is proven -------------------------------------------------------------------------

proofs() {
  shared=bag/data/proof count=0 withheld=0
  if [ ! -d $shared ]; then say 'no proofs: the production was asked for without them'; return 0; fi
  [ -f $shared/checkpoint ] || { no file-missing $shared/checkpoint 'every proof stands under it'; return 1; }
  for file in $shared/*; do [ ! -f "$file" ] || proof_sized "$file" || return 1; done
  cat $shared/checkpoint >"$work/note"
  [ ! -f $shared/cosignatures ] || cat $shared/cosignatures >>"$work/note"
  set --
  one=0
  while [ $one -lt $authorities ]; do one=$((one + 1)); set -- "$@" --ca "$work/authority$one"; done
  if [ $authorities -eq 0 ]; then for root in $shared/*.pem; do [ ! -f "$root" ] || set -- "$@" --ca "$root"; done; fi
  [ -z "$known" ] || set -- "$@" --key "$known"
  for item in $shared/items/*/*; do
    [ -d "$item" ] || continue
    proof_sized "$item" || return 1
    rm -rf "$work/proof"; cp -R "$item" "$work/proof"
    for file in $shared/log.vkey $shared/witnesses.vkey; do [ ! -f "$file" ] || cp "$file" "$work/proof"; done
    if [ $count -eq 0 ]; then
      for file in $shared/*.tsr $shared/*.pem; do
        [ -f "$file" ] || continue
        mkdir -p "$work/proof/anchors"; cp "$file" "$work/proof/anchors"
      done
    fi
    how=''
    [ -e "$item/statement.json" ] || { how=--withheld; withheld=$((withheld + 1)); }
    # shellcheck disable=SC2086 # no word, or one
    if ! sh "$beside/proof.sh" "$work/proof" $how "$@" >"$work/said" 2>"$work/why"; then
      line=$(head -n 1 "$work/said")
      [ -n "$line" ] || stop "$(head -n 1 "$work/why")"
      line=${line#NOT PROVEN: }; code=${line%% in *}; line=${line#* in }
      places=$(printf %s "${line%%: *}" | sed "s|, |, $item/|g")
      no "$code" "$item/$places" "${line#*: }"; return 1
    fi
    grep -q ",\"ver\":${item##*/}}\$" "$item/entry.json" ||
      { no version-differs "$item/entry.json" "it is the entry of another version than its folder's"; return 1; }
    sed -n '/^$/,$p' "$item/item.tlog-proof" | tail -n +2 | cmp -s - "$work/note" ||
      { no checkpoint-differs "$item/item.tlog-proof" 'it stands under another checkpoint'; return 1; }
    [ $count -gt 0 ] || grep '^\(timestamped\|witnessed\): ' "$work/said" >>"$work/remarks"
    count=$((count + 1))
  done
  say "proven: $((count - withheld)) versions of records, and the entries of $withheld that are withheld"
}

found=''
: >"$work/remarks"
if number && links; then
  outside
  bag
  seal
  signature
  proofs
fi
[ ! -e "$work/wrong" ] || exit 6
cat "$work/remarks"
echo "VERIFIED: $found"
