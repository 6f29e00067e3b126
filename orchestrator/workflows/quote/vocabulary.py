"""The closed words of a goal, folded, in our colleagues' languages; no product is among them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LIMITS = _words(
    """without no not nor never none neither except excluding exclude excludes minus less fewer
    drop omit skip leave remove removing instead rather only just but than replace replacing
    swap other another different more extra additional further plus also too same dont doesnt
    cannot wont ohne kein keine keinen keiner nicht ausser ausgenommen weniger statt anstatt
    anstelle nur bloss sondern weitere weiterer weiteres zusatzlich zusatzliche mehr andere
    anderen anderer anderes auch sin ni nunca excepto menos quitar solo solamente pero tambien
    mas otro otra otros otras vez adicional adicionales senza non tranne meno invece soltanto
    anche piu altro altra altri altre sans pas sauf excepte moins seulement uniquement aussi
    plutot lieu supplementaire autre autres"""
)
"""Words that leave something out, add something or put something in its place."""
COUNTS = _words(
    """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
    hundred thousand dozen dozens half double twice triple couple pair pairs several few single
    second third fourth zwei drei vier funf sechs sieben acht neun zehn elf zwolf zwanzig
    dreissig vierzig funfzig hundert tausend dutzend halb halbe doppelt doppelte paar mehrere
    dos tres cuatro cinco seis siete ocho nueve diez once doce quince veinte treinta cuarenta
    cincuenta cien mil docena mitad doble varios due tre quattro cinque sei sette otto nove
    dieci dodici venti trenta cento mille dozzina meta doppio deux trois quatre cinq sept huit
    neuf dix onze douze quinze vingt trente cent douzaine moitie plusieurs"""
)
"""Counts and parts of a count, in words."""
FIRM = LIMITS | COUNTS
"""Words that change what is asked for: only the deal's own name may hold them."""
SMALL = _words(
    """a an the this that these those it its they them their he his him she her we us our ours you
    your i me my who whom which what when where as at by for from in into of on onto per to up
    with about regarding concerning re and or if so is are was were be been being has have had
    do does did can could would should shall will may might must let lets please kindly thanks
    thank hi hello dear quote quotes quoted quoting quotation quotations offer offers offered
    offering proposal proposals estimate price priced pricing make made making prepare prepared
    draft drafted create created send sent give given issue issued write written get put
    together work out need needs needed want wants wanted like ask asks asked asking request
    requests requested requesting enquire enquired enquiry inquiry inquired discuss discussed
    mention mentioned talk talked speak spoke say said tell told describe described wrote email
    emails emailed mail mails mailed message messages call called meeting rfq customer customers
    client company account contact deal opportunity project job business people team colleague
    last week weeks month yesterday today now asap soon quickly urgently recently earlier again
    new latest current open ready all any thing things everything stuff ones some mr mrs ms miss
    ein eine einen einem einer eines der die das den dem des dies diese diesen er sie es ihr
    ihre ihren ihrem wir uns unser ich mir mich du man und oder fur furs von vom zu zum zur mit
    im am auf aus bei bis uber nach ist sind war waren hat haben wird werden wurde soll sollen
    kann konnen bitte danke hallo angebot angebote angeboten anbieten anbietet erstelle
    erstellen erstellt mach mache machen schick schicke schicken sende senden gib geben schreib
    schreibe bereite vor vorbereiten preis anfrage angefragt gefragt nachgefragt gewunscht
    besprochen brauchen braucht benotigt wie letzte letzten letzter woche monat gestern heute
    jetzt bald kunde kunden firma herr frau alle alles el la los las lo un una unos unas y e o u
    de del al para por con en sobre que su sus nos nuestro le les se son fue ha han haz haga
    hacer hagamos prepara preparar cotiza cotizar cotizacion presupuesto presupuestar oferta
    ofrecer envia enviar manda mandar favor gracias pedido pidio pidieron pedida solicitado
    solicito solicitud cliente semana pasada mes ayer hoy correo necesita necesitan quiere
    quieren senor senora il gli uno ed di da dal dalla dei delle degli nel nella alla ai sul
    sulla che chi loro suo sua fai fare fate preparare offerta preventivo quotazione invia
    mandare richiesta richiesto chiesto settimana scorsa mese ieri oggi favore grazie come serve
    servono une au aux dans sur pour par avec et ou ce cet cette ces ils elles leur leurs nous
    notre votre faire fais faites preparer devis offre proposition envoyer envoie demande
    demandee demandes semaine derniere mois hier merci plait sil besoin gmbh ltd limited plc inc
    llc corp ag kg bv nv srl sarl sas spa fze ab order orders ordered quarter year years since
    ago then here there back over follow followup draw drawn turn around sort start go ahead run
    handle reply respond response answer came coming look looking interested interest figure
    figures based according agreed thread conversation chat chatted pls plz thx cheers hey good
    morning help time moment whole full complete entire proper formal fresh quick initial
    pending outstanding recent requirement requirements desk sales buyer manager purchasing
    procurement director through via under outlined listed specified inquiries enquiries raised
    brought known right away after relating related behalf pass passed forward forwarded heard
    bezuglich bezgl betreffend betrifft projekt jahr quartal kollegen kollege kollegin einkauf
    einkaufer anruf telefonat gesprach nachricht zusammenstellen stellen stelle ausarbeiten
    aufsetzen macht schreiben schnell sowie beim ins ans dort gern gerne mochte mochten wollen
    wunschen wunscht fertig fertigmachen darum ihnen ihm proyecto ano equipo compras comprador
    hola buenos dias necesario quisiera podrias puedes puede hazme hagan pasa pasar asunto
    correos mensaje llamada reunion hablado hablamos comentado cuanto antes rapido relativo
    relativa progetto anno ciao buongiorno puoi potresti vorrei acquisti messaggio telefonata
    parlato richiedono vogliono vuole quanto prima projet annee bonjour peux pouvez voudrais
    achats acheteur appel parle veulent veut etablir etablis chiffrer chiffrage concernant
    pourrais pourriez prie dell binding promise promised til till pa og och med fra tilbud
    offert"""
)
"""Words that ask, name a quote, join, point or are polite; none says what is sold."""
_SAME = """
    sensor capteur sensore captador
    camera camara kamera telecamer
    server servidor serveur
    switch conmutador commutateur interruttor
    router enrutador routeur
    cable kabel cabl cavo cavi verkabelung
    battery akku batteri bateria batterie
    license lizenz licencia licenza licence
    subscription abonnement abo suscripcion abbonamento
    renewal renew extension extend verlanger renovacion rinnovo renouvellement prolong forny
    expansion expand erweiter ampliacion ampliamento
    tender bid ausschreibung licitacion gara appel anbud udbud
    plant werk planta impianto usine fabrik factory stabilimento fabrica
    line linie linea ligne linje
    bottling bottle abfull embotellado imbottigliamento embouteillage
    rolling mill walzwerk laminador laminatoio laminoir
    sawmill sagewerk aserradero segheria scierie
    saw sage sierra sega scie
    warehouse depot lager almacen magazzino entrepot lagerhaus
    hall halle nave capannone salle
    workshop werkstatt taller officina atelier
    cabinet schaltschrank armario quadro armoire
    shipyard werft astillero cantiere chantier
    test prufung pruf ensayo prova essai
    bay field feld pruffeld prufstand campo champ
    waterworks wasserwerk
    water wasser agua acqua eau
    north nord norte
    south sud sur
    east ost este est
    west ouest oeste ovest
    network netz netzwerk netværk rete reseau red
    temperature temperatur
    vibration vibrazion vibracion
    monitoring uberwachung supervision monitoraggio surveillance vigilancia
    cutting cut schnitt corte taglio coupe
    optimisation optimization optimier optimizacion ottimizzazione
    quarry cantera steinbruch cava carriere
    solar fotovolta photovolta
    dairy mejeri molkerei cheese
    brick tegel ziegel kiln
    store lager almacen magasin
    packing verpackung embalaje imballaggio emballage
    management verwaltung gestion gestione
    device gerat dispositivo appareil
    maintenance wartung mantenimiento manutenzione
    control steuer leit controllo controle
"""
SAME = tuple(tuple(line.split()) for line in _SAME.strip().splitlines())
"""Beginnings of words that mean the same in another language: a colleague and a customer need not
write in one. It is no list of what is sold; a word that is missing here is asked about."""
