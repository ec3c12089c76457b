/**
 * Passwords of fifteen characters and more that guessers try first: keyboard walks, counted digits, doubled words and the
 * phrases that everybody thinks of. Shorter ones fall to the length already.
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `123456789012345 1234567890123456 12345678901234567890 012345678901234 111111111111111 000000000000000 987654321098765
  123123123123123 112233445566778 qwertyuiopasdfg qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm qwertyuiop12345 qwertyuiop123456
  1q2w3e4r5t6y7u8i 1q2w3e4r5t6y7u8i9o0p 1qaz2wsx3edc4rfv 1qaz2wsx3edc4rfv5tgb zaq12wsxcde34rfv qazwsxedcrfvtgb qazwsxedcrfvtgbyhnujm
  asdfghjklzxcvbnm abcdefghijklmno abcdefghijklmnopqrstuvwxyz abcdefghij12345 a1b2c3d4e5f6g7h8 abc123abc123abc passwordpassword
  passwordpassword1 password12345678 password123456789 password1234567890 mypassword123456 passw0rdpassw0rd p@ssw0rdp@ssw0rd
  administrator123 administrator1234 adminadminadmin adminadminadminadmin letmeinletmein1 letmeinletmeinletmein welcomewelcome1
  welcome123456789 iloveyouiloveyou iloveyou123456789 iloveyouforever iloveyousomuch1 trustno1trustno1 changemechangeme
  changeme12345678 correcthorsebatterystaple thisismypassword thisismypassword1 thisisapassword thisisapassword1 nevergonnagiveyouup
  maytheforcebewithyou tobeornottobe123 opensesameopensesame supercalifragilisticexpialidocious monkeymonkeymonkey
  dragondragondragon footballfootball baseballbaseball sunshinesunshine princessprincess supermansuperman michaelmichael1
  computercomputer internetinternet defaultpassword default123456789 temporarypassword newpassword12345 secretsecretsecret
  testtesttesttest testpassword1234 testing123456789 qwerty123456789 qwertyqwertyqwerty asdfasdfasdfasdf zxcvbnmzxcvbnm1
  11112222333344445555 123qweasdzxc123qweasdzxc`.split(/\s+/),
)
