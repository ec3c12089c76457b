import type { Category } from './category.ts'

/** How much a phrase says alone: 3 that it is one, 2 that it most likely is, 1 that it speaks of such things. */
export type Weight = 1 | 2 | 3

/**
 * A small baseline, by category and weight: English, German, Spanish, French, Portuguese, Italian, Russian. A star stands for any
 * ending. Phrases rather than words, since the words alone stand in news, in help lines and in medicine.
 */
export const wordLists: Readonly<Record<Category, Readonly<Partial<Record<Weight, string>>>>> = {
  violence: {
    3: `i will kill you|i'll kill you|im going to kill you|i'm going to kill you|i am going to kill you|going to shoot up the school|shoot up the school|stab you to death|beat you to death|i will hurt you|i'll hurt you|slit your throat|break your legs|burn your house down|i will find you and kill|bash your skull|
      ich bringe dich um|ich werde dich umbringen|ich stech dich ab|te voy a matar|voy a matarte|je vais te tuer|vou te matar|ti ammazzo|ti uccido|я тебя убью|убью тебя`,
    2: `blow up the building|blow up the school|kill them all|kill him slowly|kill her slowly|kill everyone in|massacre them|lynch him|lynch them|behead him|behead them|torture him to death|skin him alive|rip his head off|cut her throat|wants to murder my|plan to murder|how to murder|murder my wife|murder my husband|kill my wife|kill my husband|kill my boss|kill my neighbour|kill my neighbor`,
    1: `behead*|massacre|torture|dismember*`,
  },
  hate: {
    3: `gas the jews|heil hitler|sieg heil|white power|kill all jews|kill all muslims|kill all gays|race war now|hitler was right|hitler did nothing wrong|exterminate the jews|subhuman scum|go back to your country you|untermensch*|auslander raus|juden raus|mort aux juifs|mort aux arabes|muerte a los judios|
      nigger|niggers|faggot|faggots|kike|kikes|wetback|wetbacks|towelhead|towelheads|raghead|ragheads|sandnigger*|tranny|trannies|kanake|kanaken|sale arabe|sale juif|sudaca de mierda|жид пархатый`,
    2: `gook|gooks|chink in the|spics|dykes are|are vermin|are subhuman|inferior race|master race|racial purity|great replacement is`,
  },
  harassment: {
    3: `kill yourself|kys|go kill yourself|you should kill yourself|go die|you should die|nobody would miss you|drink bleach|hang yourself|bring dich um|geh sterben|suicidate|va te tuer|se mate logo|matate|убей себя|
      you worthless piece of shit|you fucking retard|you stupid bitch|you dumb bitch|fuck you|piece of shit|fick dich|hurensohn|du hurensohn|hijo de puta|fils de pute|filho da puta|figlio di puttana|vaffanculo|иди на хуй|пошел на хуй|сука блядь`,
    2: `you are a moron|you are an idiot|you're an idiot|you are worthless|you're worthless|you are pathetic|you are disgusting|shut the fuck up|ugly bitch|fat pig|retard|retards|wichser|arschloch|missgeburt|cabron|connard|salope|stronzo|мразь`,
    1: `idiot|moron|loser|stupid|bitch|asshole|bastard`,
  },
  'self-harm': {
    3: `i want to kill myself|i wanna kill myself|i'm going to kill myself|i am going to kill myself|i will kill myself|how to kill myself|i want to die|i don't want to live anymore|i do not want to live|end my own life|going to end my life|want to end my life|how to commit suicide|best way to commit suicide|painless suicide|how to hang myself|i want to cut myself|how to overdose on|suicide note for me|lethal dose of|ways to kill myself|
      ich will mich umbringen|ich will sterben|ich mochte sterben|ich bringe mich um|quiero suicidarme|quiero morir|me quiero matar|je veux mourir|je veux me suicider|quero me matar|quero morrer|voglio morire|voglio uccidermi|хочу умереть|хочу покончить с собой|убить себя`,
    2: `cut myself|cutting myself|hurt myself|starve myself|purge after eating|thinspo|pro ana|proana|better off dead|suicidal thoughts|feel suicidal|feeling suicidal`,
    1: `suicide|suicidal|self-harm|selbstmord|suicidio`,
  },
  sexual: {
    3: `child porn|child pornography|kiddie porn|cp links|underage sex|sex with a minor|sex with minors|sex with a child|nude children|naked children|loli porn|lolicon|rape porn|incest porn|hardcore porn|write porn|explicit sex scene|blowjob|gangbang|cumshot|deepthroat|sexting with|send nudes|send me nudes|nudes of|kinderporno*|pornografia infantil|pedopornograph*|детское порно|детская порнография`,
    2: `explicit erotica|erotic story|sex story|masturbat*|fuck her|fuck him|her pussy|his cock|hard cock|wet pussy|big tits|anal sex|oral sex|strip naked|have sex with me|porn|porno|pornhub|xxx video|nackt ausziehen`,
    1: `sex|nude|naked|erotic`,
  },
  illegal: {
    3: `buy cocaine|buy heroin|buy meth|buy fentanyl|sell cocaine|sell heroin|sell meth|where to buy drugs|buy stolen credit cards|stolen credit card numbers|buy a fake passport|fake passport for sale|buy a gun without|hire a hitman|hire a hit man|launder money|money laundering scheme for|how to shoplift|how to steal a car|hotwire a car|forge a signature|forge a passport|counterfeit money|print fake money|evade taxes without|rob a bank|how to rob|traffick people|
      kokain kaufen|drogen kaufen|gefalschter pass|comprar cocaina|comprar drogas|acheter de la cocaine|acheter de la drogue|comprar armas ilegal*|comprare cocaina|купить кокаин|купить наркотики`,
    2: `fake id|stolen credit card|carding forum|drug dealer near|darknet market|dark web market|identity theft of|insider trading tip|bribe an official|bribe the judge|get away with murder|without getting caught by the police|avoid getting caught`,
  },
  'personal-information': {
    3: `home address of my ex|find out where she lives|find out where he lives|find her home address|find his home address|doxx her|doxx him|dox her|dox him|dox this|doxx this|leak her address|leak his address|her social security number|his social security number|give me her phone number|track her phone without|track his phone without|read her messages without|read his messages without|spy on my wife|spy on my girlfriend|spy on my husband|spy on my boyfriend|stalk my ex`,
    2: `doxxing her|doxxing him|where does she live exactly|private address of|personal phone number of|unlisted number of|track someone's location|track somebody's location`,
  },
  'harmful-instructions': {
    3: `how to make a bomb|how to build a bomb|make a pipe bomb|build a pipe bomb|how to make explosives|make a molotov cocktail|how to make napalm|how to make meth|cook meth|synthesize meth|synthesise meth|synthesize methamphetamine|how to make ricin|make sarin|make nerve gas|nerve agent synthesis|make anthrax|build a dirty bomb|enrich uranium at home|3d print a gun|make a ghost gun|make a silencer|how to poison someone|poison someone without|undetectable poison|how to make a poison|write ransomware|write a keylogger|create a computer virus|build a botnet|ddos a website|hack into someone's|hack someone's|how to hack into|crack someone's password|create a phishing|write a phishing|how to kidnap|make a chemical weapon|make chemical weapons|bioweapon*|
      wie baut man eine bombe|bombe bauen|bombe baue|sprengstoff herstellen|como hacer una bomba|fabricar una bomba|comment fabriquer une bombe|fabriquer une bombe|como fazer uma bomba|fabricar uma bomba|come costruire una bomba|fabbricare una bomba|как сделать бомбу|изготовить бомбу|как сварить мет`,
    2: `bomb making|explosive device at home|pick a lock to break in|bypass a car alarm|disable a security camera to|disable an alarm to|make a weapon at home|date rape drug`,
  },
}

/** Groups of people, and what is said of them by those who hate: a pair of both within a few words counts as `hate`. */
export const groups = `jews|jew|muslims|muslim|christians|blacks|black people|white people|whites|asians|arabs|immigrants|migrants|refugees|foreigners|mexicans|gays|gay people|homosexuals|lesbians|trans people|transgender people|women|gypsies|roma|disabled people|juden|muslime|auslander|fluchtlinge|schwule|judios|musulmanes|inmigrantes|juifs|musulmans|immigres|imigrantes|immigrati|евреи|мусульмане|мигранты`

export const contempt = `should be killed|should all be killed|should die|should all die|must die|need to die|deserve to die|should be exterminated|should be gassed|should be shot|should be wiped out|are animals|are vermin|are rats|are cockroaches|are parasites|are subhuman|are scum|are filth|are trash|are inferior|are not human|are not people|are a disease|are a plague|are a cancer|belong in the kitchen|should burn|gehoren vergast|sind ungeziefer|sind abschaum|sind tiere|deben morir|son basura|son animales|doivent mourir|sont des animaux|devem morrer|devono morire|должны умереть`
