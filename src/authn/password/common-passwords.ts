/**
 * Passwords that guessers try first, in small letters: keyboard walks, counted digits, doubled words and the phrases that
 * everybody thinks of. Those under fifteen characters count only where `minLength` was lowered.
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
  11112222333344445555 123qweasdzxc123qweasdzxc gatehousegatehouse gatehouse123456 gatehousepassword

  password password1 password12 password123 password1234 password! passw0rd p@ssw0rd p@ssword p@ssw0rd1 mypassword
  newpassword secret123 changeme changeme1 changeme123 letmein1 letmein12 letmein123 welcome1 welcome12 welcome123 iloveyou
  iloveyou1 iloveyou2 sunshine sunshine1 princess princess1 football football1 baseball baseball1 basketball superman
  superman1 starwars pokemon1 pokemon123 computer internet whatever trustno1 blink182 michael1 jennifer jessica1 michelle
  elizabeth charlotte victoria samantha nicholas alexander christian benjamin jonathan danielle dolphins butterfly corvette
  mercedes liverpool midnight chocolate november december september admin123 admin1234 administrator root1234 guest123
  master123 monkey123 dragon123 shadow123 google123 test1234 testtest test12345 default1 gatehouse gatehouse1 gatehouse123
  12345678 123456789 1234567890 12345678910 0123456789 0987654321 987654321 87654321 9876543210 123123123 123321123 12341234
  11223344 1122334455 112233445566 123454321 12344321 147258369 147852369 159357456 789456123 741852963 963852741 31415926
  1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 1qaz2wsx 1qazxsw2 1qaz2wsx3edc zaq12wsx zaq1zaq1 qazwsxedc qwertyui
  qwertyuiop qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyqwerty qwer1234 qweasdzxc qwe123qwe 1234qwer
  123qweasd 123qwe123 asdfghjkl asdfghjk asdfasdf asdf1234 zxcvbnm1 zxcvbnm123 abcdefgh abcdefghi abcd1234 abcde12345 abc12345
  abc123abc aa123456 aa12345678 a1b2c3d4 a1b2c3d4e5 a123456789 1234abcd 123456abc 123456789a`.split(/\s+/),
)
