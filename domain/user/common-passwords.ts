/** Words and phrases, lower case, that top every published list of stolen passwords; {@link passwordAtFault} also tries them with digits and signs hung on. */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
  password passw0rd p@ssword p@ssw0rd pa55word pa55w0rd passwort motdepasse contrasena wachtwoord parola passphrase
  administrator admin adminadmin adminpass rootroot superuser changeme changemenow letmein letmeinnow welcome welcomeback
  default defaultpassword testtest testing testpassword testuser guestguest temporary temppassword secretsecret mysecret topsecret
  iloveyou iloveyouu ilovemyself iloveu trustno1 whatever nothing something sunshine princess football baseball basketball
  superman batman spiderman starwars pokemon dragonball dragon monkey shadow master michael michelle jennifer jessica
  charlie jordan thomas ashley nicole daniel andrew joshua matthew hunter buster soccer hockey killer george computer
  internet corvette mercedes ferrari yankees liverpool chelsea arsenal barcelona manchester manutd
  chocolate butterfly strawberry cinderella hellokitty rainbow blessed blessing jesuschrist godisgood
  qwerty qwertyui qwertyuiop qwerty123 qwertyqwerty asdfasdf asdfghjkl zxcvbnm zxcvbnm123 qazwsx qazwsxedc 1qaz2wsx 1q2w3e4r
  abc123 abcd1234 a1b2c3d4 a1b2c3d4e5 abcdefghij aaaaaaaaaa woaini woaini1314 woaini520 5201314 iloveyou520 zhangwei wangwei
  login loginlogin access accessgranted openai openaiapi oblivious obliviousadmin gateway apigateway opensesame
  november december september february monday friday summer winter spring autumn
  correcthorsebatterystaple thisisapassword thisismypassword mypassword yourpassword newpassword oldpassword passwordpassword
  nopassword nopasswordneeded forgotpassword ihatepasswords enterpassword unbelievable mynameis
  `
    .trim()
    .split(/\s+/),
);
