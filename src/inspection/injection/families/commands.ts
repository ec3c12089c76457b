/**
 * How much the name of a program says by itself: 3 where nobody writes it but to a shell, 2 where it is no word of English, 1
 * where it is a word as well.
 */
export type Telling = 1 | 2 | 3

/** Programs that are called once a shell has been reached, in lower case and without `.exe`. */
export function tellingOf(name: string): Telling | undefined {
  const known = commands.get(name)
  if (known !== undefined) return known
  return isDigit(name.charCodeAt(name.length - 1)) && versioned.test(name) ? 2 : undefined
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** `python3.11`, `gcc10.1`, `php8`. */
const versioned =
  /^(?:c\d\d|(?:python|perl|ruby|php|lua|gcc|g\+\+|clang|pip|java|tclsh|bash)-?\d{1,2}(?:\.\d{1,3}){0,2})$/

/** What runs another program: the name behind it is a command too. */
export const runners: ReadonlySet<string> = new Set(
  listed(`
  sudo doas nohup busybox env xargs command builtin exec eval nice ionice setsid timeout time strace stdbuf watch
  unshare chroot then do else if while start call forfiles toybox rlwrap coproc
`),
)

/** Runners that are words of their own, and prove little. */
export const wordyRunners: ReadonlySet<string> = new Set(
  listed(`
  time command then do else if while start call watch nice timeout
`),
)

/** Tools of builders: a text that begins with one of them is a script of theirs, and what it does besides is most likely meant. */
export const buildTools: ReadonlySet<string> = new Set(
  listed(`
  npm npx yarn pnpm bun bunx deno node tsc tsx ts-node vite vitest jest mocha eslint biome prettier rimraf rollup
  webpack esbuild turbo nx lerna docker docker-compose podman kubectl helm terraform git gh make cmake go cargo
  rustc mvn gradle dotnet pip pip3 uv uvx poetry pytest brew apt apt-get apk dnf yum az aws gcloud export mkdir cp
  mv rm cd cross-env concurrently tsdown tsup unbuild husky changeset next astro nuxt playwright cypress c8 nyc
  tap standard oxlint source streamlit uvicorn flask rails bundle composer openssl ssh scp tail echo conda zig
  claude codex
`),
)

/** What nobody names anything else, and waits for an argument that may be any name: `;chmod 777 x`, `;git clone x`. */
export const unmistakableTools: ReadonlySet<string> = new Set(
  listed(`
  chmod chown chgrp cp mv mkdir rmdir mkfifo mknod scp sftp rsync ssh telnet systemctl kubectl docker crontab killall pkill
  insmod modprobe useradd adduser wget git mysql psql npm pip
`),
)

/** What does nothing by itself, and is a word or a placeholder: `dog;cat`, `$(cmd)`. */
export const idleAlone: ReadonlySet<string> = new Set(
  listed(`
  cat cut fold sort split join head tail look paste comm patch screen file find touch mount source make dig ring fish cmd
  command sed grep awk cp mv ln apt ip sc md pr gem vi vim nano ed ar lp ss nm od java aws
`),
)

/** Programs that Windows has, whose names may be written in any case. */
export const ofWindows: ReadonlySet<string> = new Set(
  listed(`
  whoami ipconfig netstat systeminfo nslookup wmic certutil bitsadmin mshta rundll32 regsvr32 tasklist taskkill schtasks
  wscript cscript icacls cacls regedit invoke-expression dir ping curl cmd powershell pwsh echo cd md rd del erase ren cls ver
  chdir netsh reg sc attrib xcopy robocopy fsutil findstr shutdown iex iwr irm invoke-webrequest invoke-restmethod start-process
  get-content get-childitem get-process new-object net hostname type set start copy move call ftp telnet timeout start-sleep
`),
)

const commands: ReadonlyMap<string, Telling> = new Map([
  ...rated(
    3,
    listed(`
  whoami ifconfig ipconfig netstat systeminfo uname nslookup wmic certutil bitsadmin mshta rundll32 regsvr32
  tasklist taskkill qwinsta ncat netcat lsb_release iptables lsmod lsof useradd adduser schtasks wscript cscript
  icacls cacls dnscmd nltest printenv lynx traceroute tracert hostnamectl ansible-galaxy ansible-playbook
  ansible-vault regedit pipx debugfs hping3 redis-cli invoke-expression busybox
`),
  ),
  ...rated(
    2,
    listed(`
  ls dir cat id ping ping6 curl wget nc telnet sh bash zsh ksh csh tcsh ash dash fish rbash cmd powershell pwsh
  chmod chown chgrp sudo su perl python ruby php lua node awk gawk mawk nawk sed grep egrep fgrep zgrep xxd od
  hexdump base64 base32 toybox dd df du ps pwd rm rmdir mkdir mkfifo mknod cp mv ln scp sftp ssh rsync ftp tftp
  nmap masscan dig tac nl rev gcc cc clang make gdb strace vi vim nano emacs ed tar gzip gunzip bzip2 xz unzip
  zcat bzcat xargs tee printf echo cd env nohup crontab systemctl killall pkill pgrep passwd mysql mysqldump psql
  sqlite3 mongo openssl socat tcpdump arp ip ss findstr netsh reg sc attrib xcopy robocopy del erase ren cls ver
  chdir md rd pathping getmac fsutil diskpart bcdedit vssadmin apt apt-get yum dnf apk pip gem npm docker kubectl
  git ansible service tailf uptime mailx sendmail lp lpr ldd nm objdump readelf insmod modprobe tr shutdown reboot
  init sysctl java aws shuf basenc uuencode base58 ab aria2c axel fold cut sha1sum md5sum cksum iconv julia lftp expr setx
  iex iwr irm invoke-webrequest invoke-restmethod start-process get-content get-childitem gc gci get-process
  new-object set-content invoke-command write-host write-output get-wmiobject get-service start-sleep
`),
  ),
  ...rated(
    1,
    listed(`
  find more less head tail time who w last date type print set kill sleep touch test sort uniq split join file
  host hostname man mount umount top true false history finger groups users read source alias mail exec eval
  export start copy move net route help call exit command at locate which whereis wait watch paste look column
  strings diff comm patch screen timeout stat realpath dirname tree batch script expand install go rake free jobs
  yes seq logger wall write assoc title path cal bc vol enable pr whatis for while if
`),
  ),
])

function listed(names: string): string[] {
  return names.trim().split(/\s{1,99}/)
}

function rated(telling: Telling, names: readonly string[]): [string, Telling][] {
  return names.map((name) => [name, telling])
}
