/**
 * Words by what they do in an order to a model, in fifteen languages: English, German, Spanish, French, Portuguese, Italian,
 * Dutch, Russian, Polish, Turkish, Arabic, Hindi, Chinese, Japanese, Korean. A star stands for any ending. Accents do not count.
 */
export const lexicon = {
  /** To pay no heed. */
  ignore: `ignore|ignores|ignoring|ignored|disregard*|forget|forgetting|forgot|overlook|neglect|bypass*|overrid*|override|nullify|invalidate|
    circumvent*|supersede*|pay no attention|do not follow|don't follow|stop following|do not obey|leave behind|set aside|throw away|no longer follow|wipe|
    ignorier*|vergiss|vergessen|vergesst|missacht*|uberschreib*|ubergeh*|hinter sich lassen|lassen sie hinter|beachte nicht|
    ignora|ignorad|ignorar|ignore todo|olvida*|olvide*|omite|omita|omitir|descarta*|haz caso omiso|no hagas caso|pasa por alto|
    ignorez|ignorer|oublie|oubliez|oublier|neglige*|ne tiens pas compte|ne tenez pas compte|fais abstraction|faites abstraction|
    ignorem|esqueca*|esquece*|desconsider*|desconsidere|nao sigas|ignorare|ignorate|dimentica*|trascura*|non considerare|non tenere conto|
    negeer*|vergeet|sla geen acht op|игнорир*|проигнорир*|забудь*|забыть|не обращай внимани*|не обращайте внимани*|отбрось*|пренебрег*|
    zignoruj*|ignoruj*|zapomnij*|pomin|nie zwracaj uwagi|zaboravi*|ignorisi*|gormezden gel*|yok say*|unut*|dikkate alma*|
    تجاهل*|تجاهلي|انس|انسى|إنس|اهمل|أهمل|अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल जाओ|भूल जाइए|उपेक्षा|
    忽略|忽視|忽视|无视|無視|忘记|忘記|忘掉|不要理会|不要理會|不用管|忘れて|忘れろ|従わない|従うな|무시*|잊어*|잊고`,
  /** What was said before. */
  prior: `previous|previously|prior|above|earlier|preceding|foregoing|former|original|initial|past|preexisting|existing|beforehand|before this|so far|up to now|
    vorherig*|vorig*|vorangegangen*|obig*|obenstehend*|bisherig*|fruher*|davor|ursprunglich*|oben|zuvor|
    anterior|anteriores|previo|previa|previos|previas|precedente*|arriba|antes|hasta ahora|precedent*|prealable*|ci-dessus|anterieur*|
    acima|precedenti|precedente|sopra|vorige|voorgaande|bovenstaande|eerdere|eerder|предыдущ*|прежн*|выше|ранее|прошл*|вышеуказанн*|
    poprzedni*|wczesniejsz*|powyzsz*|prethodn*|onceki*|yukaridaki*|السابقة|السابق|سابقة|أعلاه|قبل|पिछले|पिछली|पिछला|पूर्व|उपरोक्त|
    之前|以前|先前|上面|上述|以上|前面|此前|这之前|これまで|上記|前の|이전*|앞선|앞의|위의|지금까지`,
  /** What a model was told. */
  rules: `instruction|instructions|instruct|directive|directives|guideline|guidelines|prompt|prompts|programming|directions|commands|orders|assignment|assignments|
    constraints|training data|policies|policy|protocols|rules|rule|context|message|messages|setup|conditions|tasks|
    anweisung*|anleitung*|befehl*|vorgaben|vorgabe|regeln|instruktion*|richtlinie*|angaben|aufgaben|informationen|anordnung*|
    instruccion*|indicacion*|ordenes|reglas|directric*|directiva*|instrucao|instrucoes|diretriz*|regras|ordens|comandos|
    consigne*|directive*|regle|regles|ordres|istruzion*|direttiv*|regole|comandi|ordini|indicazion*|
    instructies|aanwijzing*|richtlijn*|regels|opdracht*|инструкц*|указани*|правил*|директив*|команд*|приказ*|промпт*|
    instrukcj*|instrukcije|polecen*|zasad|zasady|wytyczn*|talimat*|komut*|kural*|yonerge*|تعليمات|التعليمات|الأوامر|أوامر|القواعد|توجيهات|التوجيهات|
    निर्देश*|आदेश*|नियम*|指令|指示|命令|规则|規則|提示词|提示詞|提示|说明|要求|プロンプト|ルール|指図|지시*|명령*|규칙*|지침*|프롬프트*`,
  all: `all|everything|every|any|anything|entire|whole|alle|alles|samtliche*|allem|todo|toda|todos|todas|cualquier*|tout|toute|tous|toutes|qualquer|
    tudo|tutto|tutte|tutti|qualsiasi|все|всё|всех|всем|любые|wszystk*|sve|butun|tum|her seyi|جميع|كل|सभी|सब|所有|一切|全部|任何|すべて|全て|全部の|모든|모두`,
  fresh: `new instructions|new instruction|new task|new tasks|new rules|new rule|new directive|new directives|new orders|new prompt|new objective|new goal|new role|new persona|new assignment|updated instructions|
    real task|actual task|true task|main task|instead|from now on|henceforth|from this point|going forward|starting now|neue anweisung*|neuen anweisung*|neue aufgabe*|neuen aufgabe*|weitere aufgaben|ab jetzt|von nun an|stattdessen|ab sofort|
    nuevas instrucciones|nueva instruccion|nueva tarea|a partir de ahora|en su lugar|en cambio|nouvelles instructions|nouvelle instruction|nouvelle tache|a partir de maintenant|desormais|a la place|
    novas instrucoes|nova tarefa|a partir de agora|em vez disso|nuove istruzioni|nuovo compito|nuova istruzione|d'ora in poi|da ora in poi|invece|nieuwe instructies|nieuwe opdracht|vanaf nu|in plaats daarvan|
    новые инструкции|новая инструкция|новая задача|новое задание|отныне|с этого момента|теперь ты|вместо этого|nowe instrukcje|nowe polecenie|nowe zadanie|od teraz|zamiast tego|
    yeni talimat*|yeni gorev*|bundan sonra|bunun yerine|تعليمات جديدة|من الآن فصاعدا|بدلا من ذلك|नए निर्देश|अब से|इसके बजाय|新指令|新的指令|新任务|新的任务|从现在开始|從現在開始|现在开始|新しい指示|今から|これから|代わりに|새로운 지시*|지금부터|이제부터|대신`,
  /** To give away. */
  reveal: `reveal*|print|show|repeat|output|display|leak|expose|dump|recite|disclose|divulge|echo|spell out|write out|tell me|give me|summarize|list|copy|paste|translate|encode|return|share with me|
    zeig*|wiederhole*|verrate*|gib mir|gib aus|nenne*|drucke*|offenbar*|revela*|muestra*|muestre*|repite|repita|imprime|imprima|dime|revele*|montre*|affiche*|repete*|divulgue*|donne moi|donne-moi|
    mostre|mostra*|exiba|revele|rivela*|stampa|ripeti|dimmi|toon|onthul|herhaal|geef|раскрой*|покажи*|повтори*|выведи*|напечатай*|расскажи*|ujawnij|pokaz|powtorz|wypisz|goster|tekrarla|yazdir|acikla|
    اكشف|اعرض|أظهر|كرر|اطبع|दिखाओ|दिखाइए|बताओ|दोहराओ|प्रकट|显示|顯示|输出|輸出|打印|重复|重複|告诉我|告訴我|透露|泄露|展示|表示して|見せて|教えて|出力|繰り返し|보여*|출력*|알려*|반복*|공개*`,
  /** Orders of a model by name. */
  system: `system prompt|system prompts|system message|system instructions|system instruction|initial prompt|initial instructions|hidden prompt|hidden instructions|original prompt|original instructions|secret instructions|developer message|developer instructions|
    your instructions|your prompt|your rules|your guidelines|your programming|your directives|your system|your initial|your original|your configuration|preprompt|pre-prompt|prompt above|text above|words above|sentences above|everything above|conversation above|beginning of this prompt|beginning of the prompt|start of this prompt|beginning of this conversation|start of this conversation|
    systemprompt*|system-prompt*|systemnachricht*|deine anweisungen|ihre anweisungen|deine instruktionen|ihre ursprunglichen|deine ursprunglichen|prompt del sistema|mensaje del sistema|tus instrucciones|sus instrucciones|instrucciones originales|
    prompt systeme|invite systeme|tes instructions|vos instructions|prompt do sistema|suas instrucoes|tuas instrucoes|prompt di sistema|tue istruzioni|jouw instructies|je instructies|uw instructies|системный промпт|системную инструкцию|твои инструкции|свои инструкции|ваши инструкции|системные инструкции|
    prompt systemowy|twoje instrukcje|swoje instrukcje|sistem istemi|sistem mesaji|talimatlarini|موجه النظام|تعليماتك|सिस्टम प्रॉम्प्ट|अपने निर्देश|系统提示词|系统提示|系統提示|你的指令|你的提示|システムプロンプト|あなたの指示|시스템 프롬프트*|당신의 지시*|너의 지시*`,
  you: `you|your|yours|yourself|u|thou|du|dein|deine|deinen|deiner|dich|dir|ihr|ihre|ihren|tu|tus|usted|ustedes|eres|te|vous|votre|vos|toi|voce|voces|seu|sua|tuo|tua|tue|jij|je|jouw|ты|тебя|твой|твои|тебе|вы|ваши|ваш|
    jestes|twoj|twoje|sen|senin|siz|أنت|انت|तुम|आप|तुम्हारे|你|您|你的|あなた|お前|君は|당신*|너는|너의|넌`,
  model: `ai|a.i|chatgpt|gpt|gpt-4|gpt-3|gpt4|gpt3|gpt-4o|llm|llms|language model|assistant|chatbot|openai|anthropic|claude|gemini|bard|bing|copilot|llama|mistral|ki-modell|sprachmodell*|ki|asistente|assistente|assistent|modelo de lenguaje|modele de langage|ia|
    искусственный интеллект|ии|ассистент*|asystent*|asistan*|مساعد|एआई|人工智能|助手|大模型|语言模型|アシスタント|言語モデル|人工知能|인공지능|어시스턴트`,
  /** To be somebody else. */
  role: `act as|act like|acting as|acts as|pretend|pretending|roleplay|role-play|role play|roleplaying|simulate|simulating|impersonate|imagine you|imagine that you|behave as|behave like|become|take on the role|take the role|play the role|play the part|playing the role|assume the role|assume the persona|assume the identity|stay in character|remain in character|in character|immersed|emulate|you are now|you will be|you're now|you are going to|
    you are about to|embody|persona|alter ego|character named|an ai named|ai called|ai named|hypothetical response|fictional character|evil twin|opposite of|opposite mode|grandmother|grandma|
    tu so als|spiel die rolle|spiele die rolle|stell dir vor du|du bist jetzt|du bist nun|sie sind jetzt|verhalte dich|agiere als|in der rolle|actua como|actuar como|actue como|finge|fingir|imagina que eres|ahora eres|hazte pasar|eres ahora|
    agis comme|agir comme|fais semblant|faites semblant|imagine que tu|tu es maintenant|vous etes maintenant|joue le role|comporte-toi|aja como|atue como|agora voce e|finja|voce agora e|interprete o papel|agisci come|fai finta|sei ora|ora sei|comportati come|doe alsof|gedraag je|je bent nu|jij bent nu|speel de rol|
    притворись*|представь что ты|представь, что ты|действуй как|веди себя как|ты теперь|теперь ты|сыграй роль|играй роль|udawaj|zachowuj sie|wciel sie|jestes teraz|gibi davran|rolunu oyna|artik sen|sen artik|تصرف ك*|تظاهر|تخيل أنك|أنت الآن|ढोंग करो|की तरह व्यवहार|अब तुम|अब आप|
    扮演|假装|假裝|假设你是|你现在是|你現在是|想象你是|角色扮演|演じて|ふりをして|として振る舞|になりきって|あなたは今|척해|척하*|역할을|연기해|행동해`,
  /** Under no rule. */
  free: `unchained|unshackled|dan|do anything now|aim mode|jailbreak*|jailbroken|godmode|god mode|developer mode|debug mode|maintenance mode|sudo mode|admin mode|dan mode|evil mode|unlocked mode|test mode enabled|
    no rules|no restrictions|no limits|no limitations|no filters|no filter|no ethics|no morals|no guidelines|no boundaries|no censorship|no moral|no ethical|without restrictions|without any restrictions|without restriction|without limits|without limitations|without any limitations|without filters|without any filter|without censorship|without rules|without ethical|without any ethical|without moral|without any moral|without guidelines|without warnings|without warning|without disclaimers|free from all|free of all|free from any|freed from|broken free|not bound by|no longer bound|anything goes|
    ohne einschrankung*|ohne regeln|ohne beschrankung*|ohne filter|ohne zensur|uneingeschrankt*|keine regeln|keine einschrankungen|entwicklermodus|unzensiert*|sin restricciones|sin limites|sin filtros|sin censura|sin reglas|modo desarrollador|sin limitaciones|
    sans restriction*|sans limite*|sans filtre*|sans censure|sans regle*|mode developpeur|aucune restriction|sem restricoes|sem limites|sem filtros|sem censura|sem regras|modo desenvolvedor|senza restrizioni|senza limiti|senza filtri|senza censura|senza regole|modalita sviluppatore|
    zonder beperkingen|zonder regels|zonder filter*|zonder censuur|без ограничений|без цензуры|без правил|без фильтров|режим разработчика|режиме разработчика|джейлбрейк|bez ograniczen|bez cenzury|bez zasad|tryb dewelopera|kisitlama olmadan|sinirsiz|sansursuz|filtresiz|gelistirici modu|
    بدون قيود|بلا قيود|وضع المطور|बिना किसी प्रतिबंध|बिना प्रतिबंध|बिना सेंसर|डेवलपर मोड|没有限制|沒有限制|不受限制|无限制|没有任何限制|不受任何限制|无审查|开发者模式|開發者模式|越狱|越獄|制限なし|制限のない|無制限|開発者モード|脱獄|제한 없*|제한없*|개발자 모드*|탈옥*|검열 없*`,
  /** What holds a model back. */
  limits: `restriction|restrictions|filters|limitations|censorship|ethics|ethical|morals|moral|morality|safety|guardrails|safeguards|content policy|openai policy|usage policies|disclaimers|disclaimer|warnings|warning|legality|consequences|unrestricted|unfiltered|uncensored|unethical|amoral|immoral|einschrankung*|beschrankung*|restriccion*|limitacion*|restrictions|restricoes|restrizioni|beperkingen|ограничени*|этик*|ograniczen*|kisitlama*|القيود|قيود|प्रतिबंध*|限制|道德|审查|伦理|制限|倫理|제한*|윤리*`,
  /** To say no. */
  refuse: `refuse*|refusal|decline|declining|reject|apologize|apologise|apologies|apology|i can't|i cannot|i'm sorry|i am sorry|as an ai|can't help|cannot help|cannot fulfill|unable to|break character|out of character|verweiger*|ablehn*|entschuldig*|rechaza*|negarte|disculp*|refuser|refusez|t'excuser|recus*|rifiuta*|weiger*|отказ*|извин*|odmaw*|odmow*|reddet*|ترفض|मना|拒绝|拒絕|道歉|断る|拒否|거부*|거절*|사과*`,
  never: `never|don't|dont|do not|must not|cannot|can't|without|no|not|nicht|nie|niemals|keine|kein|nunca|jamas|jamais|ne pas|mai|non|nooit|geen|niet|никогда|не|nie wolno|nigdy|asla|لا|أبدا|मत|कभी|不要|绝不|不得|不能|不许|永远不|決して|しないで|절대|하지 마*|마세요`,
  must: `must|have to|has to|required to|shall|always|only|comply|obey|mandatory|under no circumstances|no matter|at all costs|compliance|musst|mussen|immer|nur|debes|debe|siempre|tienes que|solo|dois|devez|doit|toujours|seulement|deve|deves|sempre|solamente|devi|moet|altijd|alleen|должен|должна|должны|всегда|только|обязан*|musisz|zawsze|tylko|zorundasin|her zaman|sadece|يجب|دائما|فقط|हमेशा|केवल|必须|必須|只能|务必|总是|必ず|しなければ|반드시|항상|오직`,
  /** To let out. */
  send: `send|sends|sending|forward|email|e-mail|mail|post|upload|transmit|exfiltrate|share|deliver|append|embed|attach|submit|make a request|fetch|call|include|sende*|schicke*|weiterleit*|ubermittl*|envia*|envie*|manda|mande|reenvia*|envoie*|envoyez|transmets|transmettez|invia*|inoltra|stuur|verstuur|отправь*|пошли|перешли*|wyslij|przeslij|gonder*|أرسل|भेजो|भेजें|发送|發送|转发|送信|送って|보내*|전송*`,
  secret: `password|passwords|passphrase|api key|api keys|apikey|api_key|credentials|credential|secret|secrets|private key|access token|tokens|ssh key|env|environment variables|conversation history|chat history|conversation|chat log|contents of|confidential|personal information|personal data|credit card|social security|sensitive|passwort*|zugangsdaten|contrasena*|contraseñas|mot de passe|mots de passe|senha|senhas|wachtwoord*|парол*|hasl*|sifre*|كلمة المرور|كلمات المرور|पासवर्ड|密码|密碼|密钥|パスワード|비밀번호*`,
  /** To put into words. */
  speak: `say|write|respond|reply|speak|sag|sage|sagen|schreib|schreibe|schreiben|antworte|antworten|decir|di|escribe|escriba|responde|dis|ecris|ecrivez|reponds|repondez|diga|escreva|responda|scrivi|rispondi|zeg|schrijf|antwoord|скажи|напиши|ответь|napisz|powiedz|odpowiedz|yaz|soyle|قل|اكتب|कहो|लिखो|लिखें|说|說|写|回复|回答|言って|書いて|말해*|써줘`,
  /** What an agent does with its tools. */
  act: `transfer|withdraw|pay|purchase|buy|order|initiate|delete|remove|erase|grant|revoke|unlock|lock|disable|enable|deactivate|activate|schedule|reschedule|book|cancel|create|add|change|modify|update|edit|move|rename|retrieve|get|obtain|fetch|download|find|search|look up|access|open|execute|run|launch|install|deploy|dispatch|deposit|sell|approve|accept|confirm|set|turn off|turn on|stop|start|block|unblock|follow|unfollow|invite|share|publish|post|tweet|leave|join|archive|export|import|extract|collect|gather|give|use|make|generate|register|trigger|
    uberweis*|losch*|transfiere|elimina*|borra*|paga|compra|supprime*|vire|virez|achete*|transfira|exclua|apague|cancella|trasferisci|verwijder|переведи*|удали*|оплати*|przelej|usun|sil|حول|احذف|हटाओ|ट्रांसफर|转账|删除|轉帳|刪除|支付|購入|削除|送金|이체*|삭제*|결제*`,
  /** What an agent can reach. */
  asset: `account|accounts|bank account|bitcoin|bitcoins|ethereum|wallet|paypal|venmo|payment|payments|payment methods|payee|funds|money|savings|balance|transactions|transaction|files|file|folder|documents|document|database|repository|repositories|repo|branch|calendar|contacts|contact list|inbox|emails|medical records|health records|records|patient|location|address|addresses|door|front door|lock|alarm|security camera|camera|thermostat|device|devices|lights|smart|permission|permissions|access|admin|administrator|role|user|users|data|details|profile|photos|notes|reservation|subscription|appointment|prescription|flight|hotel|taxi|ride|shipment|package|policy|firewall|server|vm|instance|system|backup|logs|history|two-factor|2fa|authentication|konto|cuenta|compte|conta|rekening|счет*|konta|hesab*|حساب|खाते|账户|帳戶|文件|口座|계좌*|계정*`,
  mine: `my|mine|me|the user's|the user|user's|on my behalf|his|her|their|mein|meine|meinen|meinem|meiner|mi|mis|mon|ma|mes|meu|minha|mio|mia|mijn|мой|мою|мои|моего|moje|moj|benim|मेरे|मेरा|मेरी|我的|私の|僕の|내|나의|제`,
  /** What a model gives back. */
  answer: `your response|your responses|your reply|your replies|your answer|your answers|your output|your summary|your final answer|your message|your next message|response to the user|reply to the user|the user asks|tell the user|inform the user|respond with|reply with|answer with|respond only|reply only|respond in|reply in|answer in|begin your|start your|end your|say only|only say|just say|and say|then say|deine antwort|deiner antwort|ihre antwort|antworte mit|antworte nur|tu respuesta|responde con|responde solo|ta reponse|votre reponse|reponds avec|sua resposta|responda com|tua risposta|rispondi con|je antwoord|antwoord met|твой ответ|ответь|twoja odpowiedz|odpowiedz tylko|cevabini|إجابتك|अपने उत्तर|你的回答|你的回复|回答中|回复中|回答に|返答|대답*|답변*`,
  harm: `illegal|unlawful|harmful|dangerous|weapon|weapons|bomb|bombs|explosive|explosives|malware|virus|ransomware|keylogger|hack|hacking|drugs|meth|methamphetamine|cocaine|steal|kill|murder|poison|racist|sexist|hateful|offensive|explicit|nsfw|pornographic|violent|violence|terrorist|suicide|phishing|scam|fraud|counterfeit|launder|exploit|stalk|torture|illegal*|gefahrlich*|bombe*|ilegal*|peligros*|bomba|bombas|illegale*|dangereu*|perigos*|pericolos*|незаконн*|бомб*|наркотик*|nielegaln*|bomba|yasadisi|غير قانوني|قنبلة|अवैध|बम|非法|违法|炸弹|违禁|違法|爆弾|불법*|폭탄*`,
  /** Somebody who talks about it, rather than does it. */
  asker: `i|we|he|she|they|it|one|someone|people|developers|users|students|employees|compiler|linter|eslint|git|parser|browser|to|why|how|what|when|does|did|could|would|should|can|will|may|might|ich|wir|man|wie|warum|que|como|comment|pourquoi|как|почему|如何|为什么|怎么|怎样|なぜ|どう`,
} as const

export type WordClass = keyof typeof lexicon

export const wordClasses = Object.keys(lexicon) as readonly WordClass[]
