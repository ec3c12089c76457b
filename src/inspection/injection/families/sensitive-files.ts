/** Files that an attacker asks for: what they hold is worth it, and they stand at the same place everywhere. Global: reset it before use. */
export function sensitiveFiles(): RegExp {
  const separator = String.raw`(?:\/|\\|%2f|%5c)`
  const inEtc = [
    String.raw`passwd|shadow|group|hosts|hostname|issue|motd|fstab|crontab|sudoers|mtab|profile|inetd|resolv\.conf|redhat-release|security\/`,
    String.raw`(?:apache2?|httpd|nginx|mysql|php\d?|ssh|ssl|samba|pam\.d|cron[a-z.]{0,8}|init\.d|rc\d?\.d|my\.cnf|environment|default)\b`,
    String.raw`(?:kubernetes|docker|ldap|squid|tomcat\d?|vsftpd|proftpd)\b`,
  ].join('|')
  const anchored = [
    String.raw`etc${separator}{1,8}(?:\.?\/){0,4}(?:${inEtc})`,
    String.raw`proc${separator}(?:self|\d{1,7}|version|cmdline|cpuinfo|mounts|net|sched_debug|environ|meminfo|stat)\b`,
    String.raw`root(?:\/|\\)\.|var(?:\/|\\)log(?:\/|\\)|run(?:\/|\\)secrets`,
    String.raw`windows(?:\/|\\|%5c){1,4}(?:win\.ini|system32|system\.ini|repair|debug|php\.ini|panther|iis|explorer)`,
    String.raw`winnt(?:\/|\\)|win\.ini|boot\.ini|inetpub(?:\/|\\)|meta-inf(?:\/|\\)(?:context|manifest|maven)`,
    String.raw`\.git(?:\/|\\)(?:config|head|index|logs|objects|refs)|\.svn(?:\/|\\)(?:entries|wc\.db)|\.hg(?:\/|\\)|\.ht(?:access|passwd)`,
    String.raw`\.ssh(?:\/|\\)|id_(?:rsa|dsa|ecdsa|ed25519)\b|authorized_keys|\.aws(?:\/|\\)(?:credentials|config)`,
    String.raw`\.(?:bash|mysql|psql|zsh|python)_history|\.(?:bashrc|netrc|pgpass|my\.cnf|kube\/config|docker\/config|npmrc)\b`,
    String.raw`wp-config\.|config\.inc\.php|localsettings\.php|settings\.php|httpd\.conf|php\.ini|apache2?\.conf|nginx\.conf|server\.xml`,
    String.raw`tomcat-users\.xml|web\.config|global\.asa|ntuser\.dat|pagefile\.sys|access[._]log|error[._]log`,
  ].join('|')
  return new RegExp(String.raw`(?:${separator}|^)(?:${anchored})|web-inf${separator}\w`, 'gi')
}
