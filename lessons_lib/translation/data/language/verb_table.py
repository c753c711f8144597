"""The table of verbs; ``verbs`` reads it.

In the first column: base [past participle], both regular when absent, then a particle after "+". Options:

- place: a place may follow ("in the kitchen"); outdoors: one out of doors may
- in=home: a place of that kind must follow "in"; so too "to=", "from=" and "at="
- well, speed: an adverb may follow: "well"; "quickly", "slowly"
- with, for: "with my sister", "for my sister" may follow
- optional: the object may be left out ("she eats")
- noun: the object is never a pronoun ("she enters it" would be "elle y entre")
- recipient: something is given to a person
- generic: the object is the whole kind: "likes cats" is "aime les chats", not "des chats"
- state: no progressive, and the French past is the imparfait
- event: no progressive
- mishap: nobody wants or prefers to do it
"""

# english | french [+ preposition] | subjects | objects | options
VERBS = """
sleep slept slept       | dormir     | person animal |  | place well
work                    | travailler | person        |  | place well speed with
cry                     | pleurer    | person        |  | place
laugh                   | rire       | person        |  |
sing sang sung          | chanter    | person        |  | place well with
dance                   | danser     | person        |  | place well with
swim swam swum          | nager      | person big    |  | in=water well speed with
run ran run             | courir     | person animal |  | outdoors speed
walk                    | marcher    | person animal |  | outdoors speed with
jump                    | sauter     | person animal |  |
play                    | jouer      | person animal |  | place with
smile                   | sourire    | person        |  |
shout                   | crier      | person        |  | place
dream                   | rêver      | person        |  |
bark                    | aboyer     | dog           |  | place
cook                    | cuisiner   | person        |  | place well for
wait                    | attendre   | person animal |  | place
travel travelled travelled | voyager    | person        |  | in=country with
arrive                  | arriver    | person transport |  | at=venue
leave left left         | partir     | person transport |  | event
fall fell fallen        | tomber     | person animal object -text |  | event mishap
go went gone            | aller      | person        |  | to=venue,capital,country
come came come          | venir      | person        |  | to=venue,capital
come came come + back   | revenir    | person        |  | from=venue,capital,country
come came come + home   | rentrer    | person        |  | event
return                  | retourner  | person        |  | to=venue,capital,country event
go went gone + out      | sortir     | person animal |  | event
go went gone + down     | descendre  | person animal |  | event
go went gone + up       | monter     | person animal |  | event
enter                   | entrer + dans | person        | castle room shop church museum | event noun
stay                    | rester     | person animal |  | in=indoors
live                    | habiter    | person        |  | in=home,capital,country state
eat ate eaten           | manger     | person animal | food | place optional speed with
drink drank drunk       | boire      | person        | drink | place optional with
drink drank drunk       | boire      | animal        | plain | place optional
taste                   | goûter     | person        | food drink | event
prepare                 | préparer   | person        | dish | place for
order                   | commander  | person        | dish drink | event
serve                   | servir     | person        | dish drink |
see saw seen            | voir       | person animal | person animal building vehicle tree sea | event
hear heard heard        | entendre   | person animal | person animal song train | event
watch                   | regarder   | person animal | show boat train | place
look + at               | regarder   | person animal | person animal object clothing vehicle building | place
look + for              | chercher   | person        | person animal object clothing wealth | place
find found found        | trouver    | person        | object clothing wealth animal | place event
lose lost lost          | perdre     | person        | object clothing wealth | place event mishap
hide hid hidden         | cacher     | person animal | wealth ring food key letter toy | place event
steal stole stolen      | voler      | thief fox monkey parrot boy | wealth object food -ladder | event
like                    | aimer      | person        | food drink clothing town text tale country | generic state
love                    | aimer      | person        | person animal food tale country | generic state
hate                    | détester   | person        | food drink clothing town animal | generic state
prefer preferred preferred | préférer   | person        | food drink clothing town | generic state
buy bought bought       | acheter    | person        | food drink thing | place for
sell sold sold          | vendre     | person        | food drink thing | place recipient
pay paid paid + for     | payer      | person        | food drink clothing book ticket | event
have had had            | avoir      | person        | animal thing house shop friend wealth problem | state
want                    | vouloir    | person        | food drink thing animal | state
read read read          | lire       | person        | text tale | place
write wrote written     | écrire     | person        | letter book poem tale novel word rule question | place for
finish                  | finir      | person        | text lesson exercise | event
start                   | commencer  | person        | text lesson exercise | event
learn                   | apprendre  | person        | study word song poem | place
understand understood   | comprendre | person        | idea text | event
explain                 | expliquer  | person        | idea show | event
open                    | ouvrir     | person        | opening container letter bottle | event
close                   | fermer     | person        | opening container book | event
fill                    | remplir    | person        | container vessel basket | event
listen + to             | écouter    | person animal | person tale radio | place
wait + for              | attendre   | person animal | person transport plane taxi | place
help                    | aider      | person        | person | place
thank                   | remercier  | person        | person | event
meet met met            | rencontrer | person        | person | place event
invite                  | inviter    | person        | person | event
marry                   | épouser    | prince princess | soldier actor actress singer king queen poet | event
protect                 | protéger   | person big    | young animal plant town |
attack                  | attaquer   | wolf lion bear tiger dog | person animal | event
save                    | sauver     | person        | person animal | event
catch caught caught     | attraper   | person animal | small ball thief fish | event
know knew known         | connaître  | person        | person tale town word language | state
believe                 | croire     | person        | person tale | generic state
visit                   | visiter    | person        | castle church town house school museum capital |
cross                   | traverser  | person animal vehicle -plane | street bridge road forest square field |
take took taken         | prendre    | person        | object clothing transport plane taxi |
carry                   | porter     | person        | object food chair young |
wear wore worn          | porter     | person        | clothing |
throw threw thrown      | jeter      | person        | ball hat fruit toy bottle | event
push                    | pousser    | person        | furniture drivable bike -bus | place
touch                   | toucher    | person        | furniture clothing animal object |
hold held held          | tenir      | person        | object small young -computer -television |
use                     | utiliser   | person        | machine hammer ladder pencil dictionary map knife |
borrow                  | emprunter  | person        | object clothing drivable -gift -bus -taxi | event
follow                  | suivre     | person animal | person animal vehicle -plane |
call                    | appeler    | person        | person dog cat |
wash                    | laver      | person        | clothing car plate glass dog fruit opening vegetable | place
dry                     | essuyer    | person        | plate cup glass table fork spoon | place
repair                  | réparer    | person        | drivable machine furniture fragile opening bike boat | place
paint                   | peindre    | person        | furniture wall room opening boat house |
drive drove driven      | conduire   | person        | drivable |
build built built       | construire | person        | house boat bridge wall tower castle furniture |
plant                   | planter    | person        | plant | place
water                   | arroser    | person        | plant |
pick                    | cueillir   | person        | fruit plant -tree | place
choose chose chosen     | choisir    | person        | clothing text gift food animal vehicle song | event
forget forgot forgotten | oublier    | person        | tale idea key umbrella bag ticket photo | event mishap
receive                 | recevoir   | person        | letter gift message wealth book | event
break broke broken      | casser     | person animal | fragile machine furniture window | event mishap
clean                   | nettoyer   | person        | room building furniture drivable window -castle -bus |
draw drew drawn         | dessiner   | person        | person animal plant building boat | place for
give gave given         | donner     | person        | food object clothing wealth animal | recipient
show showed shown       | montrer    | person        | object clothing building animal | recipient
send sent sent          | envoyer    | person        | text gift plant wealth -tree | recipient
lend lent lent          | prêter     | person        | object clothing bike car wealth -gift | recipient
bring brought brought   | apporter   | person        | food drink object clothing wealth | recipient
tell told told          | raconter   | person        | story | recipient
answer                  | répondre + à | person        | person | event
speak spoke spoken + to | parler + à | person        | person | place
write wrote written + to | écrire + à | person        | person | place
smile + at              | sourire + à | person        | person |
phone                   | téléphoner + à | person        | person | place
obey                    | obéir + à  | person animal | kin job | event
"""

# Verbs that take another clause ("I think that ...") or an infinitive ("she wants to sleep").
REPORTING = """
think thought thought | penser  | person |  | state
say said said         | dire    | person |  | state
know knew known       | savoir  | person |  | state
hope                  | espérer | person |  | state
believe               | croire  | person |  | state
"""

# english [past] | french | tenses | auxiliary or not
MODALS = """
want                       | vouloir  | present past future | verb
like                       | aimer    | present past        | verb
hate                       | détester | present past        | verb
prefer preferred preferred | préférer | present past        | verb
can could                  | pouvoir  | present past        | auxiliary
must                       | devoir   | present             | auxiliary
"""

# Verbs whose last consonant is doubled before -ing.
DOUBLED = frozenset({"forget", "prefer", "run", "swim", "travel"})
