"""Sentences of our own that the tagger of names learns from; the labelled set of `redact_set` shares none of them."""

# ruff: noqa: E501, SIM905 - made-up texts and tables are easier to read on one line

from __future__ import annotations

PEOPLE = {
    "any": [
        '{"name": "{full}", "age": {n}', '"author": "{full}",', '"customer": {"first_name": "{given}", "last_name": "{family}"}', "From: {full} <{given}@mail.org>",
        "To: {full}", "Author: {full}", 'client="{full}" code={n}', "attn: {full}", 'participants = ["{full}", "{full}"]', '{"role": "user", "content": "I am {full}"}', "Participants: {full}, {full}", "{given}: ok, {given}: no", "owner={full} id={n}", "throw new Error('{heading}')", "Signed-off-by: {full} <x@y.org>", "Co-authored-by: {full} <x@y.org>", "user={given} action=login", '"assignee": "{given}"', "name,city\n{full},{place}",
        "# written by {full}, {n}", "// TODO({given}): fix this", 'greet("{given}")', 'person = Person("{full}", {n})', "customer_name: {full}", "@author {full}",
        "INFO patient {full} admitted", "- {full} ({place})", "| {full} | {n} | {place} |", "{full}: hello", "<td>{full}</td>", "{full} - {place}", "1. {full}\n2. {full}\n3. {full}", "{full}\n{place}", "INSERT INTO people VALUES ('{full}', {n});",
        "Attendees: {full}, {full}, {given}", "contact: {full}", "WARN session of {full} expired", "{family}, {given}", "cc {given} {family}", "Name: {full}", 'owner = "{given}"', "print('{given}')", "[{n}:{n}] {given}: ok", "reviewed by {given} and {given}", '{"to":"{full}","msg":"ok"}', '{"first_name":"{given}","last_name":"{family}"}', '"patient":"{full}"', "customer='{full}'", '"name":"{full}","age":{n}', '"user":{"name":"{full}"}',
    ],
    "en": [
        "My name is {full} and I live in {place}.", "Hi, I'm {given}.", "Hello {given},", "Dear {given},", "Dear Mr. {family},", "Dear Ms {family}", "Best regards,\n{full}", "Thanks,\n{given}", "Cheers, {given}", "Kind regards, {full}",
        "I talked to {full} yesterday about it.", "{full} called from {place}.", "{given} said she would come.", "Can you ask {given} for the file?", "My boss {full} wants it by {day}.", "My wife {given} and I moved to {place}.", "Please write a letter to {full}.",
        "Dr. {family} will see you.", "Mrs. {family}'s son is ill.", "{given}'s laptop broke.", "meeting with {full} and {full}", "I work with {given} at {company}.", "{given} {family} joined {company} in {n}.", "The patient, {full}, was born in {place}.",
        "It was signed by {full}.", "Yesterday {given} met {given} in {place}.", "Our neighbour {given} has a dog.", "Is {full} available?", "Tell {given} I said hi.", "This is {full} from {company}.", "Write a poem for my daughter {given}.", "Thank you, {given}!", "{full} lives there.", "Professor {family} taught us.",
        "According to {full}, it works.", "His name was {given}.", "My friend {given} thinks so too.", "{given}, can you look at this?", "I'm writing on behalf of {full}.", "Ask for {full} at the desk.", "the tenant {full} has not paid", "We hired {full} last {month}.", "Then {given} replied that it was fine.",
    ],
    "de": [
        "Ich heiße {full} und wohne in {place}.", "Mein Name ist {full}.", "Hallo {given},", "Liebe {given},", "Sehr geehrter Herr {family},", "Sehr geehrte Frau {family},", "Viele Grüße\n{full}", "Mit freundlichen Grüßen\n{full}", "Ich bin {given}.", "LG {given}",
        "Gestern habe ich mit {full} gesprochen.", "{given} hat das gesagt.", "Meine Kollegin {full} kommt am {day}.", "Frau {family} arbeitet bei {company}.", "Herr Dr. {family} ist im Urlaub.", "Kannst du {given} fragen?", "Der Vertrag von {full} läuft aus.", "Meine Frau {given} und ich wohnen in {place}.",
        "Die Patientin {full} wurde in {place} geboren.", "{full} wohnt in {place}.", "Der Kunde {full} hat angerufen.", "Schreibe einen Brief an {full}.", "Mein Sohn {given} ist krank.", "Das Auto von {given} ist kaputt.", "Bitte an {full} weiterleiten.", "Der Termin mit Herrn {family} fällt aus.", "Danke, {given}!", "{given} und {given} kommen auch.",
    ],
    "fr": [
        "Je m'appelle {full} et j'habite à {place}.", "Bonjour {given},", "Cher {given},", "Chère Madame {family},", "Monsieur {family} est absent.", "Cordialement,\n{full}", "Merci, {given}", "Je suis {full}.", "Mon nom est {full}.", "Bien à vous, {full}",
        "J'ai parlé avec {full} hier.", "{given} a dit que oui.", "Ma collègue {full} arrive {day}.", "Le patient {full} est né à {place}.", "Mme {family} travaille chez {company}.", "Peux-tu demander à {given} ?", "Mon fils {given} est malade.", "{full} habite à {place}.", "M. {family} a appelé.", "Écris une lettre à {full}.",
        "La voiture de {given} est en panne.", "Le client {full} n'a pas payé.", "Contactez {full} pour la suite.", "Mon mari {given} et moi partons.", "Le docteur {family} vous attend.", "{given} et {given} viennent aussi.", "D'après {full}, c'est bon.", "Salut {given} !",
    ],
    "es": [
        "Me llamo {full} y vivo en {place}.", "Hola {given},", "Estimado señor {family}:", "Estimada Sra. {family}:", "Un saludo,\n{full}", "Gracias, {given}", "Soy {full}.", "Mi nombre es {full}.", "Querida {given}:", "Atentamente, {full}",
        "Ayer hablé con {full}.", "{given} dijo que sí.", "Mi compañera {full} llega el {day}.", "La paciente {full} nació en {place}.", "El señor {family} trabaja en {company}.", "¿Puedes preguntar a {given}?", "Mi hijo {given} está enfermo.", "{full} vive en {place}.", "Escribe una carta a {full}.", "El coche de {given} no arranca.",
        "El cliente {full} no ha pagado.", "Contacta con {full}.", "Mi marido {given} y yo viajamos.", "La doctora {family} te espera.", "{given} y {given} también vienen.", "Según {full}, está bien.", "¡Gracias, {given}!", "Don {given} y doña {given} llegaron.",
    ],
    "it": [
        "Mi chiamo {full} e abito a {place}.", "Ciao {given},", "Gentile signor {family},", "Gentile dott.ssa {family},", "Cordiali saluti,\n{full}", "Grazie, {given}", "Sono {full}.", "Il mio nome è {full}.", "Cara {given},", "Distinti saluti, {full}",
        "Ieri ho parlato con {full}.", "{given} ha detto di sì.", "La mia collega {full} arriva {day}.", "Il paziente {full} è nato a {place}.", "Il signor {family} lavora in {company}.", "Puoi chiedere a {given}?", "Mio figlio {given} è malato.", "{full} vive a {place}.", "Scrivi una lettera a {full}.", "La macchina di {given} è rotta.",
        "Il cliente {full} non ha pagato.", "Contatta {full}.", "Mio marito {given} ed io partiamo.", "La dottoressa {family} ti aspetta.", "Vengono anche {given} e {given}.", "Secondo {full} va bene.", "Grazie mille {given}!", "L'avvocato {family} è fuori.",
    ],
    "pt": ["Meu nome é {full} e moro em {place}.", "Olá {given},", "O cliente {full} ligou.", "Falei com {full} ontem.", "Atenciosamente,\n{full}", "A Sra. {family} chegou.", "{given} disse que sim.", "O meu filho {given} está doente."],
    "nl": ["Ik heet {full} en woon in {place}.", "Hoi {given},", "Beste {given},", "Geachte heer {family},", "Met vriendelijke groet,\n{full}", "Ik sprak gisteren met {full}.", "Mijn collega {given} komt {day}.", "De klant {full} belde."],
    "pl": ["Nazywam się {full} i mieszkam w {place}.", "Cześć {given},", "Z poważaniem,\n{full}", "Klient {full} dzwonił.", "Pan {family} jest nieobecny.", "Rozmawiałem wczoraj z {full}."],
}  # fmt: skip

OTHER = {
    "any": [
        "import {lib}", "# {heading}", "## {heading}\n", "class {lib}Manager:", '"city": "{place}"', '"country": "{place}"', '"title": "{heading}"', '"company":"{company}"', '"organization": "{company}"', '{"city":"{place}","title":"{heading}"}', 'company="{company}"', '"brand":"{company}","model":"{product}"', "library = '{lib}'", '"employer": "{company}"', '"name": "{company}"', '"name": "{lib}"', "name: {lib}", '"product": "{product}"', "INFO Server started on {place}",
        "ERROR {lib} failed: Connection refused", "| {heading} | {place} | {n} |", "- {heading}", "**{heading}**: see below", "1. {heading}\n2. {heading}", "City: {place}", '"status": "Active"', "{lib} {n}.{n} released", '"label": "{heading}"', "Title: {heading}", "{month} {n}", "{day}, {n} {month}", "<h2>{heading}</h2>",
        "SELECT City FROM Orders WHERE Country = '{place}';", "The {company} {product}", "GET /api/Orders 200 OK", "Human: hello\n\nAssistant: hi", "User: {heading}?", "Subject: {heading}", '"name": "{heading}"', "name: Build\non: push", "author: {company}", "From: {company} <info@x.com>", "new {lib}()", "raise {lib}Error('{heading}')", '"brand": "{company}"', "by {company}",
    ],
    "en": [
        "The weather in {place} is nice in {month}.", "{company} announced a new product on {day}.", "I want to learn {lib}.", "How do I use {lib} with {lib}?", "Is {place} bigger than {place}?", "We flew from {place} to {place}.", "Our office in {place} is closed.", "I love {place}.", "He works at {company}.", "The {company} report is out.",
        "Buy a {product} at {company}.", "Hello World", "Dear Sir or Madam,", "Dear Team,", "Dear Hiring Manager,", "Hi there,", "Hello Everyone,", "Thanks in advance", "Best regards,\nThe {company} Team", "I'm Happy to help.", "I am French.", "Mark the page and Grant access.", "Will you come? May I ask? Rose petals fall.",
        "Christian churches in {place}", "Read the Bible and the Quran.", "The University of {place}", "The Treaty of {place} was signed.", "According to the {company} survey", "Speak to Customer Support.", "Ask Human Resources for it.", "Tell Siri to stop.", "Pass it to Docker.", "The Supreme Court ruled.", "In {place}, {month} is hot.", "the Great Wall of {place}",
        "Bayes theorem and Newton method", "Use Dijkstra and Gauss elimination.", "Summary of {heading}", "Chase after it", "Jenkins runs the Maven build.", "The Victoria line is closed.", "Take the Lincoln Highway.", "Madison Square is full.", "It is {day}.", "Chapter {n}: {heading}", "{heading} is important.", "Yes. No. Sure. Well, Okay.", "Call Support about Billing.", "My name is not important.", "Happy Birthday! Merry Christmas!",
    ],
    "de": [
        "Das Wetter in {place} ist gut.", "Der Bäcker und der Koch arbeiten im Sommer.", "Die Firma {company} hat ein Büro in {place}.", "Ich lerne {lib}.", "Im {month} fahren wir nach {place}.", "Sehr geehrte Damen und Herren,", "Hallo zusammen,", "Liebes Team,", "Der König und der Kaiser", "Mit freundlichen Grüßen\nIhr {company} Team",
        "Guten Morgen, Guten Tag!", "Der Müller mahlt das Mehl, der Schneider näht.", "Ein Wolf, ein Fuchs und ein Vogel im Wald.", "Was ist der Unterschied zwischen {lib} und {lib}?", "Die Stadt {place} liegt am Fluss.", "Der Bau der Brücke kostet viel Geld.", "Am {day} ist frei.", "Die Zusammenfassung: {heading}", "Ich bin Student. Ich bin Arzt.", "Herz und Stein, Berg und Tal", "Der Richter und der Schäfer", "Die Lange Straße ist gesperrt.", "Schreibe eine Funktion für die Rechnung.", "Mein Konto bei {company}",
    ],
    "fr": [
        "Il fait beau à {place}.", "La société {company} est à {place}.", "J'apprends {lib}.", "En {month}, nous allons à {place}.", "Madame, Monsieur,", "Bonjour à tous,", "Chère équipe,", "Le Petit Prince est un livre.", "La place de la Concorde", "Quelle est la différence entre {lib} et {lib} ?",
        "L'équipe {company}", "Bonne journée ! Merci Beaucoup.", "Saint-Denis et Saint-Germain", "La Tour Eiffel est grande.", "La ville de {place} est belle.", "Le Roi et le Boucher", "Résumé : {heading}", "Je suis Médecin.", "Le Conseil d'État a décidé.", "Noël est en {month}.",
    ],
    "es": [
        "Hace buen tiempo en {place}.", "La empresa {company} está en {place}.", "Aprendo {lib}.", "En {month} vamos a {place}.", "Estimados señores:", "Hola a todos,", "Querido equipo:", "La Plaza Mayor está llena.", "La Sagrada Familia es bonita.", "¿Cuál es la diferencia entre {lib} y {lib}?",
        "El equipo de {company}", "Buenos Días. Muchas Gracias.", "San Sebastián y Santa Cruz", "La ciudad de {place} es grande.", "La Guerra Civil", "Semana Santa", "Resumen: {heading}", "Soy Médico.", "Los Reyes y la Iglesia", "El Tribunal Supremo",
    ],
    "it": [
        "A {place} fa bello.", "La ditta {company} è a {place}.", "Imparo {lib}.", "In {month} andiamo a {place}.", "Gentili signori,", "Ciao a tutti,", "Caro team,", "La Piazza del Duomo", "Qual è la differenza tra {lib} e {lib}?",
        "Il team di {company}", "Buon Giorno. Grazie Mille.", "San Marco e Santa Lucia", "La città di {place} è grande.", "La Divina Commedia", "Riassunto: {heading}", "Sono Medico.", "Il Re e la Chiesa", "La Corte di Cassazione", "Buona Pasqua e Buon Natale",
    ],
    "pt": ["Faz sol em {place}.", "A empresa {company} fica em {place}.", "Prezados senhores,", "Bom Dia. Obrigado.", "São Paulo e Santa Catarina"],
    "nl": ["Het regent in {place}.", "Het bedrijf {company} zit in {place}.", "Geachte heer of mevrouw,", "Goedemorgen allemaal,", "In {month} gaan we naar {place}."],
    "pl": ["Pada w {place}.", "Firma {company} jest w {place}.", "Szanowni Państwo,", "Dzień Dobry"],
}  # fmt: skip

NO_NAMES = {
    "en": ["It started last week.", "Can you help me?", "Please keep it short.", "I think so.", "The order was late.", "Here is what happened.", "Thanks for the quick answer."],
    "de": ["Es begann letzte Woche.", "Kannst du mir helfen?", "Bitte kurz halten.", "Die Bestellung kam zu spät.", "Danke für die schnelle Antwort."],
    "fr": ["Cela a commencé la semaine dernière.", "Peux-tu m'aider ?", "La commande est en retard.", "Merci pour la réponse."],
    "es": ["Empezó la semana pasada.", "¿Me puedes ayudar?", "El pedido llegó tarde.", "Gracias por la respuesta."],
    "it": ["È iniziato la settimana scorsa.", "Puoi aiutarmi?", "L'ordine è in ritardo.", "Grazie della risposta."],
    "pt": ["Começou na semana passada.", "Pode ajudar?"],
    "nl": ["Het begon vorige week.", "Kun je helpen?"],
    "pl": ["To trwa od tygodnia.", "Proszę o pomoc."],
}  # fmt: skip

THINGS = {
    "company": ["Amazon", "Google", "Microsoft", "Siemens", "Deutsche Bank", "Morgan Stanley", "Goldman Sachs", "Ford", "Mercedes", "Wells Fargo", "Johnson Controls", "Marks & Spencer", "Ben & Jerry's", "Sainsbury", "Tiffany", "Lloyds", "Santander", "Carrefour", "Renault", "Michelin", "Ferrari", "Prada", "Armani", "Zara", "Mango", "Telefonica", "Allianz", "Bosch", "Adidas", "Walt Disney", "Warner Bros", "Tesla", "Charles Schwab", "JP Morgan", "Ernst & Young", "Dell", "Philips", "Peugeot", "Porsche", "Anthropic", "OpenAI", "Barnes & Noble", "Harley Davidson", "Victoria's Secret", "Dow Jones", "Reuters", "Bloomberg", "Wikipedia", "Oracle", "Apple"],
    "product": ["iPhone", "Windows", "Galaxy", "Model S", "Alexa", "Siri", "Cortana", "Claude", "Gemini", "Office", "Excel", "Photoshop", "Kindle", "PlayStation", "Mercedes Benz", "Jaguar", "Lincoln Continental", "Chevrolet", "Aurora", "Nova"],
    "lib": ["Python", "Java", "React", "Angular", "Django", "Flask", "Ruby", "Rust", "Julia", "Pandas", "Docker", "Jenkins", "Maven", "Jupyter", "Kafka", "Cassandra", "Redis", "Ada", "Haskell", "Pascal", "Scala", "Perl", "Swift", "Dart", "Crystal", "Elixir", "Laravel", "Spring", "Hibernate", "Selenium", "Gatsby", "Hugo", "Jekyll", "Vagrant", "Ansible", "Grafana", "Sentry", "Stripe", "Alexa", "Watson", "Darwin", "Gauss", "Bernoulli", "Fibonacci", "Dijkstra", "Bellman", "Huffman", "Levenshtein", "Newton", "Markov", "Fourier", "Euler", "Bayes", "Boolean", "Exception", "String", "Object"],
    "heading": ["Introduction", "Summary", "Getting Started", "Key Points", "Next Steps", "Project Overview", "Main Street", "Conclusion", "Data Analysis", "Terms Of Service", "Privacy Policy", "Frequently Asked Questions", "Step One", "Case Study", "User Guide", "Quick Start", "Best Practices", "Risk Assessment", "Time Complexity", "Machine Learning", "Great Expectations", "Romeo and Juliet", "Summer Sale", "Grand Opening", "Angel Falls", "Grace Period", "Faith And Reason", "Hope For All", "Joy Division", "Sky Blue", "Amber Alert", "Crystal Clear", "Rose Gold", "Iris Dataset", "Daisy Chain", "Chase Credit", "Max Value", "Min Value", "Art History", "Guy Fawkes Night", "Bill Payment", "Frank Discussion", "Mark Complete", "Grant Proposal", "Drew Conclusions", "Lance Armstrong Award", "Pat Answer", "Gene Expression", "Jack Of All Trades", "Happy New Year"],
    "day": ["Monday", "Tuesday", "Friday", "Sunday", "Montag", "Freitag", "lundi", "jueves", "venerdì", "tomorrow"],
    "month": ["January", "April", "May", "June", "August", "Januar", "Mai", "juin", "julio", "agosto", "settembre"],
    "place": ["Paris", "London", "Florence", "Charlotte", "Austin", "Houston", "Jackson", "Lincoln", "Madison", "Sydney", "Victoria", "Georgia", "Virginia", "Carolina", "San Diego", "Santiago", "Valencia", "Cordoba", "Milan", "Siena", "Lourdes", "Orléans", "Nancy", "Chelsea", "Brooklyn", "Kingston", "Washington", "Hamilton", "Wellington", "Melbourne", "Berlin", "München", "Köln", "Hamburg", "Frankfurt", "Essen", "Halle", "Jena", "Sofia", "Vienna", "Wien", "Zürich", "Genève", "Bern", "Roma", "Napoli", "Torino", "Verona", "Modena", "Madrid", "Sevilla", "Granada", "Toledo", "León", "Lima", "Jordan", "Israel", "Chad", "India", "China", "America", "Asia", "Europe", "Africa", "Europa", "Alaska", "Dakota", "Montana", "Phoenix", "Denver", "Dallas", "Orlando"],
}  # fmt: skip

EVERYDAY = (
    ["will", "may", "mark", "grant", "rose", "grace", "hope", "faith", "joy", "amber", "crystal", "iris", "daisy", "chase", "max", "min", "art", "bill", "frank", "drew", "pat", "gene", "jack", "summer", "april", "june", "august", "dawn", "sunny", "lance", "guy", "miles", "rich", "king", "young", "white", "black", "green", "brown", "long", "short", "small", "little", "best", "day", "wise", "noble", "price", "bush", "park", "field", "stone", "wood", "banks", "bond", "rice", "cook", "baker", "butcher", "carter", "mason", "smith", "miller", "taylor", "bishop", "knight", "page", "bell", "case", "cross", "church", "hill", "lake", "rivers", "may", "love", "power", "law", "head", "hand", "english", "french", "german", "german", "spain", "holland", "west", "north", "south", "east", "winter", "frost", "snow", "der", "die", "das", "und", "ein", "eine", "koch", "bäcker", "müller", "schneider", "könig", "kaiser", "wolf", "fuchs", "vogel", "herz", "stein", "berg", "richter", "schäfer", "lange", "klein", "groß", "neu", "alt", "jung", "schwarz", "weiß", "braun", "roth", "sommer", "winter", "weber", "fischer", "bauer", "zimmermann", "schmidt", "hahn", "busch", "baum", "wald", "horn", "kraft", "petit", "grand", "roi", "boucher", "blanc", "noir", "roux", "leblanc", "lebrun", "dupont", "bon", "vert", "rue", "place", "saint", "mer", "fort", "fontaine", "dubois", "marchand", "rey", "reyes", "cruz", "iglesia", "guerra", "leon", "plaza", "rojo", "blanco", "moreno", "delgado", "castillo", "campos", "flores", "rosa", "mercedes", "dolores", "pilar", "paz", "luz", "cielo", "re", "conti", "rossi", "bianchi", "neri", "verdi", "russo", "greco", "marina", "serena", "chiara", "bella", "alba", "stella", "luna", "gioia", "grazia", "santa", "costa", "riva", "villa", "monte", "fonte", "muslim", "christian", "jewish", "hindu", "buddhist", "catholic", "protestant", "islam", "bible", "quran", "jesus", "god", "allah", "lord", "mama", "papa", "mum", "dad", "mom", "grill", "milk", "bread", "steuer", "rechnung", "konto", "karte", "straße", "termin", "vertrag", "brief", "frau", "herr", "mann", "kind", "tag", "nacht", "grüße", "hinweis", "betreff", "datum", "sprecher", "guten", "morgen", "abend", "danke", "bitte", "bonjour", "merci", "madame", "monsieur", "bonsoir", "buenos", "buenas", "señora", "gracias", "buongiorno", "buonasera", "signora", "grazie", "invoice", "minutes", "present", "apologies", "absent", "notes", "agenda", "regards", "best", "kind", "dear", "sincerely", "yours", "mit", "freundlichen", "viele", "liebe", "cordialement", "saludos", "saluti", "please", "thanks", "hello", "team", "support", "customer", "service", "sales", "admin", "user", "human", "assistant", "system", "example", "test", "data", "python", "java", "ruby", "rust", "julia", "django", "jenkins", "maven", "alexa", "siri", "watson", "ada", "pascal", "claude", "jordan", "chad", "israel", "georgia", "paris", "florence", "charlotte", "sydney", "austin", "virginia", "victoria", "carolina", "lincoln", "jackson", "madison", "washington", "hamilton", "chelsea", "kingston", "santiago", "valencia", "sofia", "nancy", "milan"]
)  # fmt: skip

FUNCTION_WORDS = (
    "i you he she it we they the a an and or but if in on at to of for from by with as is are was were be this that these those my your his her "
    "its our their me him us them who what when where why how not no yes so do did does done can could would should have has had there here "
    "ich du er sie es wir ihr mich dich ihm ihn ihnen uns euch mein meine dein deine sein seine der die das den dem des ein eine einen einem einer "
    "und oder aber wenn weil dass in im am an auf zu zum zur von vom mit bei nach aus für über unter ist sind war waren wird hat haben kann muss "
    "soll nicht kein keine ja nein wie was wer wo wann warum hier dort bitte danke so noch nur auch schon "
    "je tu il elle on nous vous ils elles me te se mon ma mes ton ta tes son sa ses notre votre leur le la les un une des du de et ou mais si en au "
    "aux à dans par pour sur avec est sont était être avoir qui que quoi quand où pourquoi comment ne pas oui non ce cette ces "
    "yo tú él ella usted nosotros ellos ellas me te se mi mis tu tus su sus el la los las un una unos unas y o pero si en al del de a por para con "
    "es son era está están ser hay que quien cuando donde como no sí este esta estos estas lo le les "
    "io tu lui lei noi voi loro mi ti si ci mio mia tuo tua suo sua il lo la i gli le un uno una e o ma se in nel nella al alla del della di a da per "
    "con su è sono era essere che chi quando dove come non sì questo questa "
    "jan feb mar apr jun jul aug sep sept oct okt nov dec dez mon tue wed thu fri sat sun lun mer jeu ven sam dim"
).split()
