import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { certain, likely, type Row, row, signsOf, strong, sure } from './rows.ts'

/** Objects written down, which their reader builds again and so runs what their classes do (CWE-502). */
export const deserialisation: Detector = {
  family: 'deserialisation',
  structure: true,
  scan: (text, hint, look) =>
    telling(text, look) ? signsOf(hint.role === 'name' ? allRows : rows, text, hint, look) : noSigns,
}

const telling = sieve(
  // biome-ignore lint/suspicious/noControlCharactersInRegex: formats of bytes begin with them
  /rO0AB|py\/|KztAAU|Cs7QAF|aced0005|\\xac|\u00ac\u00ed|AAEAAAD|\/wEy|TypeObject|[OCa]:\+?\d|Tz[oEpu]|YTo|cos\W|cposix|gAS|gAN|\x80[\x02-\x05]|!!|!<tag|!ruby|BAh|\x04\x08|_\$\$ND|\$type|@type|com\.sun|__reduce__|c__builtin__|javax\.|\["?(?:com|org|java)|<java|<object|<dynamic-proxy|ObjectDataProvider|java\.util|SoapFormatter|H4sI/i,
)

// biome-ignore format: a table
const rows: readonly Row[] = [
  // Java (Object Serialization Stream Protocol §6.4.2: STREAM_MAGIC, STREAM_VERSION), in base64 at each of three offsets, and in hex
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format begins with them
  row('deserialisation/java',        [0.97, 0.8, 0.1], /(?:^|[^\w+/])rO0AB[QXWc3a-z][\w+/=-]{0,24}|KztAAU|Cs7QAF|\bac\s?ed\s?00\s?05|\\xac\\xed\\x00\\x05|\u00ac\u00ed\0\u0005/g),
  row('deserialisation/java-beans',  sure,    /<java\b[^>]{0,96}(?:XMLDecoder|version\s{0,2}=)|<(?:object|void)\s{1,8}(?:class|method)\s{0,4}=\s{0,4}["'](?:java|javax|com\.sun|org)\.|<dynamic-proxy>|<(?:java\.(?:util\.PriorityQueue|lang\.ProcessBuilder|beans\.EventHandler)|javax\.imageio\.|jdk\.nashorn|com\.sun\.(?:org|xml)|sorted-set>\s{0,8}<(?:string|dynamic))/g),
  row('deserialisation/fastjson',    [0.93, 0.5, 0.1], /["']@type\\{0,3}["']\s{0,8}:\s{0,8}\\{0,3}["']L?(?:com\.(?:sun|mchange|ibatis|zaxxer|alibaba|mysql|caucho|ibm)|org\.(?:apache|springframework|hibernate|codehaus|h2|h3|aspectj|datanucleus)|java\.(?:lang\.(?:Class|AutoCloseable|Exception|Throwable|Runtime)|net|util|io)|javax\.|oracle\.|br\.com\.anteros|ch\.qos|net\.sf\.ehcache)/g),
  row('deserialisation/jackson',     sure,    /\[\s{0,4}\\{0,3}["'](?:com\.(?:sun|mchange|zaxxer|mysql|ibatis|caucho|nqadmin|pastdev|newrelic)|org\.(?:apache|springframework|hibernate|jboss|jdom|jsecurity|arrah|docx4j|aoju|codehaus)|ch\.qos\.logback|javax\.|java\.(?:net|util\.logging|lang\.Runtime)|net\.sf\.ehcache|oracle\.|br\.com|flex\.messaging|sun\.)[\w.$]{3,96}\\{0,3}["']\s{0,4},\s{0,4}[{["']/g),
  row('deserialisation/yaml-java',   certain, /!!(?:javax?|com|org|sun|ch)\.[a-z]\w{0,24}\.[\w.$]{2,80}/g),
  // .NET
  row('deserialisation/dotnet',      sure,    /AAEAAAD\/{4,5}[\w+/=]{0,16}|\\u0000\\u0001\\u0000\\u0000\\u0000\xff{4}|\b0001000000ffffffff01\b/g),
  row('deserialisation/viewstate',   likely,  /^\/wEy[\w+/=]{16,}/g),
  row('deserialisation/json-net',    sure,    /["']?\$type["']?\s{0,8}:\s{0,8}\\{0,3}["'](?:System\.(?!String\b|Int\d|Collections\.Generic)|Microsoft\.|mscorlib|PresentationFramework|Newtonsoft\.Json\.Linq\.JObject)|\bObjectDataProvider\b|\bTypeObject\b|\bSystem\.(?:Windows\.Data|Configuration\.Install|Data\.Services|Web\.UI\.LosFormatter|Runtime\.Serialization|Diagnostics\.Process),?\s/g),
  // PHP (serialize()), with the length that has to be there, and the plus that filters were passed with
  row('deserialisation/php',         sure,    /(?:^|[;{"'=:\s%])[OC]:\+?\d{1,4}:\\{0,3}"[\w\\]{1,96}\\{0,3}":\+?\d{1,4}:\{/g),
  row('deserialisation/php-array',   strong,  /(?:^|[;{"'=\s])a:\+?\d{1,4}:\{(?:[isbdaON]:|\})/g),
  row('deserialisation/php-base64',  strong,  /^(?:Tz(?:ox|oy|oz|o[0-5]|oxM|ozN|o1|o4|oi|o[0-9x-z])[\w+/]{16,}|YTo[x-z0-5][\w+/]{20,})={0,2}$/g),
  // Python (pickle protocols 0 to 5)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format begins with them
  row('deserialisation/pickle',      certain, /(?:^|[^\w])c(?:os|posix|nt|subprocess|__builtin__|builtins|commands|pty|sys|types|webbrowser)\r?\n(?:system|popen|Popen|eval|exec|execfile|check_output|call|getattr|open|__import__|globals|map|run|spawn|getoutput)\r?\n|\x80[\x02-\x05](?:\x95[\s\S]{8}|c|\}|\]|K|X|cos)|\b__reduce(?:_ex)?__\b\s{0,4}["']?\s{0,4}[:(=]\s{0,4}["'([]/g),
  row('deserialisation/pickle-base64', strong, /^(?:gA[SRJNMQ]V?[\w+/-]{8,}|gAN[\w+/-]{8,}|Y(?:29zC[nw]|3Bvc2l4C|19fYnVpbHRpbl9fC|25c|2J1aWx0aW5zC)[\w+/-]{4,}|gASV[\w+/=-]{4,})={0,2}$/g),
  row('deserialisation/yaml-python', certain, /!!python\/(?:object(?:\/(?:apply|new))?|name|module|tuple)\b|!<tag:yaml\.org,2002:python\//g),
  row('deserialisation/jsonpickle',  certain, /["']py\/(?:object|reduce|function|type|repr|id)["']\s{0,4}:/g),
  // Ruby
  row('deserialisation/yaml-ruby',   certain, /!(?:!?ruby\/(?:object|hash|struct|array|class|regexp|exception|module|marshalable|range|sym)|ruby\/[a-z]{3,10})[:\s]/g),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format begins with them
  row('deserialisation/ruby-marshal', strong, /^(?:BAh(?:[bJVvTwpjBDLc7]|I[a-z]|7[A-Z])[\w+/=-]{6,})$|\x04\x08(?:[oIe{[cU]:?)/g),
  // Node
  row('deserialisation/node',        certain, /_\$\$ND_(?:FUNC|CC)\$\$_|["']__js_function["']\s{0,4}:/g),
  row('deserialisation/gzip-java',   likely,  /^H4sIAAAAAAAA[\w+/=-]{40,}$/g, isParameter),
]

/** Members that tell a reader which class to build. */
const nameRows: readonly Row[] = [
  row('deserialisation/jsonpickle', certain, /^py\/(?:object|reduce|function|type|repr|newargs\w{0,3}|newobj)$/g),
  row('deserialisation/node', certain, /^_\$\$ND_|^__js_function$/g),
]
const allRows = [...nameRows, ...rows]

/** Compressed data is no rare body of a request, and a strange parameter. */
function isParameter(_text: string, { in: part }: Hint): boolean {
  return part === 'query' || part === 'cookie' || part === 'header'
}
